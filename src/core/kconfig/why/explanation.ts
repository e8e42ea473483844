import type { Origin } from '../types.ts'
import type { Configuration } from '../tree/evaluate.ts'
import { exprText, symbolText } from '../tree/expr.ts'
import { isDefined, type Expr, type KSymbol, type Tristate } from '../tree/model.ts'
import { quote } from '../tree/user-values.ts'
import type { Planner } from './plan.ts'
import type { Reach } from './reach.ts'
import type { WrittenTerm } from './terms.ts'

/** One condition on the way to a symbol, with its present value. */
export interface Term {
  readonly text: string
  readonly origin: Origin
  readonly met: boolean
  /** No configuration of this tree meets it. */
  readonly never: boolean
  /** Symbols of the condition with their values, e.g. `HYPERV=n`. */
  readonly values: readonly string[]
  /** For an unmet one: what is missing, one level down. */
  readonly next: readonly Explanation[]
}

/** Why a symbol has not the wanted value. */
export interface Explanation {
  readonly symbol: string
  readonly wanted: string
  readonly got: string
  /** Where the symbol is defined. */
  readonly origin: Origin | undefined
  readonly verdict: Verdict
  /** One sentence. */
  readonly reason: string
  readonly terms: readonly Term[]
}

/**
 * `holds`: nothing is wrong. `set`: only its own line is missing. `unmet`: conditions are missing.
 * `selected`: others force it on. `defaulted`: it has no prompt and follows its default.
 * `range`: the number is out of range. `impossible`: no configuration of this tree can have it.
 * `undefined`: the tree does not define it. `again`: explained further up.
 */
export type Verdict =
  | 'holds'
  | 'set'
  | 'unmet'
  | 'selected'
  | 'defaulted'
  | 'range'
  | 'impossible'
  | 'undefined'
  | 'again'

/** What explaining works with. */
export interface Context {
  readonly config: Configuration
  readonly reach: Reach
  readonly planner: Planner
  readonly seen: Set<string>
}

export function conclude(
  context: Context,
  symbol: KSymbol,
  wanted: string,
  verdict: Verdict,
  reason: string,
  terms: readonly Term[] = [],
): Explanation {
  const text = context.config.text(symbol)
  return {
    symbol: symbolText(symbol),
    wanted,
    got: symbol.type === 'string' ? quote(text) : text,
    origin: symbol.nodes[0]?.origin,
    verdict,
    reason,
    terms,
  }
}

/** A term as it stands in this configuration. */
export function shownTerm(
  context: Context,
  term: WrittenTerm,
  next: readonly Explanation[],
  level: Tristate = 1,
): Term {
  const { config, reach } = context
  const values = [...new Set(symbolsOf(term.expr))].map((symbol) =>
    isDefined(symbol) ? `${symbol.name}=${config.text(symbol)}` : `${symbol.name} undefined`,
  )
  const met = config.expr(term.expr) >= level
  return {
    text: exprText(term.expr, 'and'),
    origin: term.origin,
    met,
    never: !met && reach.highestOfExpr(term.expr) < level,
    values: values.slice(0, 8),
    next,
  }
}

function symbolsOf(expr: Expr): readonly KSymbol[] {
  switch (expr.kind) {
    case 'symbol':
      return expr.symbol.kind === 'symbol' ? [expr.symbol] : []
    case 'not':
      return symbolsOf(expr.inner)
    case 'compare':
      return [expr.left, expr.right].filter((symbol) => symbol.kind === 'symbol' && isDefined(symbol))
    case 'and':
    case 'or':
      return [...symbolsOf(expr.left), ...symbolsOf(expr.right)]
  }
}
