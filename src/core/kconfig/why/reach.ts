import type { Configuration } from '../tree/evaluate.ts'
import { isDefined, type Expr, type KSymbol, type Property } from '../tree/model.ts'

/** What no .config can change in a tree. */
export interface Reach {
  /** Whether some .config turns it on. An answer `false` is certain, `true` is only likely. */
  readonly canBeOn: (symbol: KSymbol) => boolean
  readonly canBeTrue: (expr: Expr | undefined) => boolean
  /** Whether every .config has it on. An answer `true` is certain. */
  readonly isAlwaysOn: (symbol: KSymbol) => boolean
  readonly isPinned: (symbol: KSymbol) => boolean
}

/** Turning these over asks for another architecture, not for another configuration. */
export const architectureSymbols: readonly string[] = ['64BIT', 'X86_32', 'X86_64']

/**
 * Finds what is possible at all, taking the symbols named in `pinned` as they are now.
 * Each symbol on its own: whether two of them go together is not asked.
 */
export function findReach(config: Configuration, pinned: readonly string[] = architectureSymbols): Reach {
  const { tree } = config
  const fixed = new Set(pinned.map((name) => tree.byName.get(name)).filter((symbol) => symbol !== undefined))
  const always = new Uint8Array(tree.symbols.length)
  const possible = new Uint8Array(tree.symbols.length)

  const isSettled = (symbol: KSymbol): boolean => symbol.kind === 'constant' || !isDefined(symbol)

  function mustBeTrue(expr: Expr | undefined): boolean {
    if (expr === undefined) return true
    switch (expr.kind) {
      case 'symbol':
        return isSettled(expr.symbol) ? config.state(expr.symbol) !== 0 : always[expr.symbol.id] === 1
      case 'and':
        return mustBeTrue(expr.left) && mustBeTrue(expr.right)
      case 'or':
        return mustBeTrue(expr.left) || mustBeTrue(expr.right)
      case 'not':
        return neverTrue(expr.inner)
      case 'compare':
        return isSettled(expr.left) && isSettled(expr.right) && config.expr(expr) !== 0
    }
  }

  function neverTrue(expr: Expr): boolean {
    if (expr.kind === 'symbol')
      return fixed.has(expr.symbol) || isSettled(expr.symbol) ? config.state(expr.symbol) === 0 : false
    return expr.kind === 'and' && (neverTrue(expr.left) || neverTrue(expr.right))
  }

  function canBeTrue(expr: Expr | undefined): boolean {
    if (expr === undefined) return true
    switch (expr.kind) {
      case 'symbol':
        return isSettled(expr.symbol) ? config.state(expr.symbol) !== 0 : possible[expr.symbol.id] === 1
      case 'and':
        return canBeTrue(expr.left) && canBeTrue(expr.right)
      case 'or':
        return canBeTrue(expr.left) || canBeTrue(expr.right)
      case 'not':
        return !mustBeTrue(expr.inner)
      case 'compare':
        return isSettled(expr.left) && isSettled(expr.right) ? config.expr(expr) !== 0 : canCompare(expr)
    }
  }

  /** `A=y` needs A to be possible; other comparisons are taken as possible. */
  function canCompare(expr: Extract<Expr, { kind: 'compare' }>): boolean {
    const { left, right, operator } = expr
    const wantsOn =
      operator === '=' && right.kind === 'constant' && (right.name === 'y' || right.name === 'm')
    return !wantsOn || (isSettled(left) ? config.expr(expr) !== 0 : possible[left.id] === 1)
  }

  const selectorOf = (line: Property): KSymbol | undefined => line.node.symbol

  function mustBeOn(symbol: KSymbol): boolean {
    if (fixed.has(symbol)) return config.state(symbol) !== 0
    const first = symbol.prompts.length === 0 ? symbol.defaults[0] : undefined
    if (first !== undefined && mustBeTrue(first.condition) && mustBeTrue(first.value)) return true
    return symbol.selectedBy.some((line) => {
      const selector = selectorOf(line)
      return selector !== undefined && always[selector.id] === 1 && mustBeTrue(line.condition)
    })
  }

  function mayBeOn(symbol: KSymbol): boolean {
    if (fixed.has(symbol)) return config.state(symbol) !== 0
    if (always[symbol.id] === 1 || symbol.type === 'int' || symbol.type === 'hex' || symbol.type === 'string')
      return true
    if (symbol.prompts.some((line) => canBeTrue(line.condition))) return true
    if (symbol.defaults.some((line) => canBeTrue(line.condition) && canBeTrue(line.value))) return true
    return [...symbol.selectedBy, ...symbol.impliedBy].some((line) => {
      const selector = selectorOf(line)
      return selector !== undefined && possible[selector.id] === 1 && canBeTrue(line.condition)
    })
  }

  settle(tree.symbols, always, mustBeOn)
  settle(tree.symbols, possible, mayBeOn)
  return {
    canBeOn: (symbol) => (isSettled(symbol) ? config.state(symbol) !== 0 : possible[symbol.id] === 1),
    canBeTrue,
    isAlwaysOn: (symbol) => always[symbol.id] === 1,
    isPinned: (symbol) => fixed.has(symbol),
  }
}

/** Marks symbols until nothing more follows. */
function settle(symbols: readonly KSymbol[], marks: Uint8Array, holds: (symbol: KSymbol) => boolean): void {
  const open = symbols.filter((symbol) => symbol.kind !== 'constant' && isDefined(symbol))
  let left: readonly KSymbol[] = open
  for (;;) {
    const next = left.filter((symbol) => {
      if (!holds(symbol)) return true
      marks[symbol.id] = 1
      return false
    })
    if (next.length === left.length) return
    left = next
  }
}
