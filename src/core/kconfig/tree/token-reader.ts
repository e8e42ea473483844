import { usageError, type FwbuildError } from '../../errors.ts'
import type { Token } from './lexer.ts'
import type { CompareOperator, Expr, KSymbol } from './model.ts'
import type { Origin } from '../types.ts'
import { originText } from '../types.ts'
import type { SymbolTable } from './symbol-table.ts'

const compareOperators: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>='])

/** Takes the tokens of one statement from left to right; every method throws E_KCONFIG_SYNTAX. */
export interface TokenReader {
  readonly origin: Origin
  /** The next word, which must be there. */
  readonly word: (what: string) => string
  readonly text: (what: string) => string
  readonly optionalText: () => string | undefined
  readonly symbol: () => KSymbol
  readonly expr: () => Expr
  /** The expression after an `if`, when there is one. */
  readonly optionalIf: () => Expr | undefined
  readonly accept: (text: string) => boolean
  /** Whether tokens are left. */
  readonly more: () => boolean
  readonly end: () => void
}

export function createTokenReader(
  tokens: readonly Token[],
  origin: Origin,
  symbols: SymbolTable,
): TokenReader {
  let index = 0

  const fail = (expected: string): FwbuildError => {
    const token = tokens[index]
    const found = token === undefined ? 'the end of the line' : `'${token.text}'`
    return usageError('E_KCONFIG_SYNTAX', `${originText(origin)}: expected ${expected}, found ${found}`)
  }

  function accept(text: string): boolean {
    const token = tokens[index]
    if (token === undefined || token.kind === 'text' || token.text !== text) return false
    index += 1
    return true
  }

  function take(kind: Token['kind'], what: string): string {
    const token = tokens[index]
    if (token?.kind !== kind) throw fail(what)
    index += 1
    return token.text
  }

  const optionalText = (): string | undefined =>
    tokens[index]?.kind === 'text' ? take('text', 'a text') : undefined

  function symbol(): KSymbol {
    const text = optionalText()
    return text === undefined ? symbols.named(take('word', 'a symbol')) : symbols.constant(text)
  }

  /** `||` binds weakest, then `&&`, then comparison, then `!`. */
  function expr(): Expr {
    let left = conjunction()
    while (accept('||')) left = { kind: 'or', left, right: conjunction() }
    return left
  }

  function conjunction(): Expr {
    let left = term()
    while (accept('&&')) left = { kind: 'and', left, right: term() }
    return left
  }

  function term(): Expr {
    if (accept('!')) return { kind: 'not', inner: term() }
    if (accept('(')) {
      const inner = expr()
      if (!accept(')')) throw fail("')'")
      return inner
    }
    const left = symbol()
    const operator = tokens[index]
    if (operator?.kind !== 'operator' || !compareOperators.has(operator.text))
      return { kind: 'symbol', symbol: left }
    index += 1
    return { kind: 'compare', operator: operator.text as CompareOperator, left, right: symbol() }
  }

  return {
    origin,
    word: (what) => take('word', what),
    text: (what) => take('text', what),
    optionalText,
    symbol,
    expr,
    optionalIf: () => (accept('if') ? expr() : undefined),
    accept,
    more: () => index < tokens.length,
    end: () => {
      if (index < tokens.length) throw fail('the end of the line')
    },
  }
}
