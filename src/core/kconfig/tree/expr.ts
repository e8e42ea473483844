import type { Expr, KSymbol } from './model.ts'

export const symbolExpr = (symbol: KSymbol): Expr => ({ kind: 'symbol', symbol })

/** `a && b`, where undefined means always. */
export function andExpr(a: Expr | undefined, b: Expr | undefined): Expr | undefined {
  if (a === undefined) return b
  if (b === undefined) return a
  return { kind: 'and', left: a, right: b }
}

/** `a || b`, where undefined means "nothing to add", as the kernel's conf treats it. */
export function orExpr(a: Expr | undefined, b: Expr | undefined): Expr | undefined {
  if (a === undefined) return b
  if (b === undefined) return a
  return { kind: 'or', left: a, right: b }
}

/**
 * The expression that is `y` where `expr` is `n`, and `n` elsewhere; as conf builds it, where the
 * opposite of `!A` being `n` is that A is not.
 */
export function isNo(expr: Expr, no: KSymbol): Expr {
  switch (expr.kind) {
    case 'symbol':
      return { kind: 'compare', operator: '=', left: expr.symbol, right: no }
    case 'and':
      return { kind: 'or', left: isNo(expr.left, no), right: isNo(expr.right, no) }
    case 'or':
      return { kind: 'and', left: isNo(expr.left, no), right: isNo(expr.right, no) }
    case 'not':
      return { kind: 'not', inner: isNo(expr.inner, no) }
    case 'compare':
      return { kind: 'not', inner: expr }
  }
}

/** Calls `visit` for each symbol of an expression, constants included, left to right. */
export function visitSymbols(expr: Expr | undefined, visit: (symbol: KSymbol) => void): void {
  if (expr === undefined) return
  switch (expr.kind) {
    case 'symbol':
      visit(expr.symbol)
      return
    case 'not':
      visitSymbols(expr.inner, visit)
      return
    case 'compare':
      visit(expr.left)
      visit(expr.right)
      return
    case 'and':
    case 'or':
      visitSymbols(expr.left, visit)
      visitSymbols(expr.right, visit)
  }
}

/** Writes an expression as Kconfig does, with parentheses only where needed. */
export function exprText(expr: Expr, inside: 'or' | 'and' | 'not' = 'or'): string {
  switch (expr.kind) {
    case 'symbol':
      return symbolText(expr.symbol)
    case 'compare':
      return `${symbolText(expr.left)}${expr.operator}${symbolText(expr.right)}`
    case 'not':
      return `!${exprText(expr.inner, 'not')}`
    case 'and': {
      const text = `${exprText(expr.left, 'and')} && ${exprText(expr.right, 'and')}`
      return inside === 'not' ? `(${text})` : text
    }
    case 'or': {
      const text = `${exprText(expr.left)} || ${exprText(expr.right)}`
      return inside === 'or' ? text : `(${text})`
    }
  }
}

/** A symbol's name; constants in quotes unless they are y, m, n or a number. */
export function symbolText(symbol: KSymbol): string {
  if (symbol.kind === 'choice') return symbol.name === '' ? '<choice>' : symbol.name
  if (symbol.kind === 'symbol' || symbol.type === 'tristate' || /^-?(?:\d+|0x[\da-f]+)$/i.test(symbol.name))
    return symbol.name
  return `"${symbol.name}"`
}
