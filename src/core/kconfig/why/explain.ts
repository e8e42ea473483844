import type { DotConfig } from '../types.ts'
import { nearestNames } from '../nearest.ts'
import { evaluate, type Configuration } from '../tree/evaluate.ts'
import {
  isDefined,
  type Expr,
  type KconfigTree,
  type KSymbol,
  type Property,
  type Tristate,
} from '../tree/model.ts'
import { unquote } from '../tree/user-values.ts'
import { explainOff } from './explain-off.ts'
import { conclude, shownTerm, type Context, type Explanation, type Term } from './explanation.ts'
import { holds, type Wish } from './fix.ts'
import { createPlanner } from './plan.ts'
import { findReach } from './reach.ts'
import { promptTerms, selectTerms, type WrittenTerm } from './terms.ts'

const searchBudget = 12
const maxDepth = 12

/** Explains one wish against a configuration, down to what can be set or what blocks it. */
export const explain = (tree: KconfigTree, base: Pick<DotConfig, 'values'>, wish: Wish): Explanation =>
  createExplainer(tree, base)(wish)

/** As `explain`, for several wishes: the tree is evaluated once. */
export function createExplainer(
  tree: KconfigTree,
  base: Pick<DotConfig, 'values'>,
): (wish: Wish) => Explanation {
  const config = evaluate(tree, base)
  const reach = findReach(config)
  const planner = createPlanner(config, reach, new Map())
  return (wish) => explainWish({ config, reach, planner, seen: new Set() }, wish)
}

function explainWish(context: Context, wish: Wish): Explanation {
  const { config } = context
  const symbol = config.tree.byName.get(wish.symbol)
  if (symbol === undefined || !isDefined(symbol)) return undefinedSymbol(config.tree, wish)
  if (holds(config, wish)) return conclude(context, symbol, wish.value, 'holds', 'it has the wanted value')
  if (symbol.type !== 'bool' && symbol.type !== 'tristate') return explainText(context, symbol, wish.value)
  if (wish.value === 'n') return explainOff(context, symbol)
  return explainOn(context, symbol, wish.value === 'm' ? 1 : 2, 0)
}

function undefinedSymbol(tree: KconfigTree, wish: Wish): Explanation {
  const known = [...tree.byName.values()].filter(isDefined).map((symbol) => symbol.name)
  const near = nearestNames(wish.symbol, known)
  return {
    symbol: wish.symbol,
    wanted: wish.value,
    got: 'n',
    origin: undefined,
    verdict: 'undefined',
    reason: `this tree does not define it${near.length === 0 ? '' : `; similar: ${near.join(', ')}`}`,
    terms: [],
  }
}

function explainOn(context: Context, symbol: KSymbol, level: Tristate, depth: number): Explanation {
  const { config, reach } = context
  const wanted = level === 2 || symbol.type === 'bool' ? 'y' : 'm'
  if (!isDefined(symbol))
    return conclude(context, symbol, wanted, 'undefined', 'not defined for this architecture or kernel')
  const highest = reach.highest(symbol)
  const capped = highest > 0 && highest < level
  const seenKey = `${symbol.id}:${wanted}`
  if (context.seen.has(seenKey) || depth > maxDepth)
    return conclude(context, symbol, wanted, 'again', 'explained above')
  context.seen.add(seenKey)
  if (reach.isPinned(symbol))
    return conclude(context, symbol, wanted, 'impossible', 'decided by the architecture of the build')
  const inner: Tristate = symbol.type === 'tristate' ? level : 1
  const prompt = bestLine(symbol.prompts, (line) => planSize(context, line.condition, inner))
  const ask = symbol.kind === 'choice' ? 'its choice must be on' : `set CONFIG_${symbol.name}=${wanted}`
  if (
    prompt !== undefined &&
    (config.expr(prompt.condition) >= inner ||
      symbol.selectedBy.length === 0 ||
      canRaise(context, prompt, inner))
  ) {
    const terms = termsOf(context, promptTerms(config.tree, prompt), inner, depth)
    if (capped) return conclude(context, symbol, wanted, 'impossible', `it can be at most m here`, terms)
    if (highest === 0)
      return conclude(
        context,
        symbol,
        wanted,
        'impossible',
        'no configuration of this tree can turn it on',
        terms,
      )
    if (terms.every((term) => term.met)) return conclude(context, symbol, wanted, 'set', ask, terms)
    return conclude(context, symbol, wanted, 'unmet', `${ask} once its conditions are met`, terms)
  }
  return explainPromptless(context, symbol, wanted, inner, depth)
}

const canRaise = (context: Context, line: Property, level: Tristate): boolean =>
  planSize(context, line.condition, level) < Number.POSITIVE_INFINITY

/** A symbol nobody is asked about: something must select it, or its default must apply. */
function explainPromptless(
  context: Context,
  symbol: KSymbol,
  wanted: string,
  level: Tristate,
  depth: number,
): Explanation {
  const selector = bestLine([...symbol.selectedBy, ...symbol.impliedBy], (line) =>
    selectorCost(context, line, level),
  )
  const fallback = bestLine(
    symbol.defaults,
    (line) => planSize(context, line.condition, level) + planSize(context, line.value, level),
  )
  const hidden = symbol.prompts.length > 0 ? 'its prompt cannot be reached' : 'it has no prompt'
  const line = selector ?? fallback
  if (line === undefined)
    return conclude(
      context,
      symbol,
      wanted,
      'impossible',
      `${hidden}, nothing selects it and it has no default`,
    )
  const terms = termsOf(context, selectTerms(line), level, depth)
  const how =
    line.kind === 'default'
      ? `${hidden}; its default follows these conditions`
      : `${hidden}; ${line.node.symbol === undefined ? 'another symbol' : line.node.symbol.name} can ${line.kind} it` +
        (symbol.selectedBy.length > 1 ? ` (and ${symbol.selectedBy.length - 1} others)` : '')
  const verdict = context.reach.highest(symbol) < level ? 'impossible' : 'defaulted'
  return conclude(context, symbol, wanted, verdict, how, terms)
}

function explainText(context: Context, symbol: KSymbol, wanted: string): Explanation {
  const { config } = context
  const prompt = symbol.prompts[0]
  if (prompt === undefined) return explainFixedText(context, symbol, wanted)
  const terms = termsOf(context, promptTerms(config.tree, prompt), 1, 0)
  if (terms.some((term) => !term.met))
    return conclude(
      context,
      symbol,
      wanted,
      'unmet',
      `set CONFIG_${symbol.name}=${wanted} once its conditions are met`,
      terms,
    )
  const range = symbol.ranges.find((line) => config.expr(line.condition) > 0)
  if (range?.low !== undefined && range.high !== undefined && outside(config, range, unquote(wanted)))
    return conclude(
      context,
      symbol,
      wanted,
      'range',
      `only ${config.text(range.low)} to ${config.text(range.high)} (${range.origin.file}:${range.origin.line})`,
    )
  return conclude(context, symbol, wanted, 'set', `set CONFIG_${symbol.name}=${wanted}`, terms)
}

function outside(config: Configuration, range: Property, wanted: string): boolean {
  if (range.low === undefined || range.high === undefined || !/^-?\d+$|^0[xX][\dA-Fa-f]+$/.test(wanted))
    return false
  const value = BigInt(wanted)
  const bound = (symbol: KSymbol): bigint => {
    const text = config.text(symbol)
    return /^-?\d+$|^0[xX][\dA-Fa-f]+$/.test(text) ? BigInt(text) : 0n
  }
  return value < bound(range.low) || value > bound(range.high)
}

function explainFixedText(context: Context, symbol: KSymbol, wanted: string): Explanation {
  const line = symbol.defaults.find((candidate) => context.config.expr(candidate.condition) > 0)
  const place = line === undefined ? '' : ` (${line.origin.file}:${line.origin.line})`
  return conclude(context, symbol, wanted, 'impossible', `it has no prompt; the tree computes it${place}`)
}

function termsOf(
  context: Context,
  written: readonly WrittenTerm[],
  level: Tristate,
  depth: number,
): readonly Term[] {
  return written.map((term) =>
    context.config.expr(term.expr) >= level
      ? shownTerm(context, term, [], level)
      : shownTerm(context, term, missing(context, term.expr, level, depth + 1), level),
  )
}

/** Explanations of the symbols that the cheapest way to an unmet expression goes through. */
function missing(context: Context, expr: Expr, level: Tristate, depth: number): readonly Explanation[] {
  if (context.config.expr(expr) >= level) return []
  switch (expr.kind) {
    case 'symbol':
      return expr.symbol.kind === 'constant' ? [] : [explainOn(context, expr.symbol, level, depth)]
    case 'and':
      return [...missing(context, expr.left, level, depth), ...missing(context, expr.right, level, depth)]
    case 'or': {
      const left = planSize(context, expr.left, level)
      return missing(
        context,
        left <= planSize(context, expr.right, level) ? expr.left : expr.right,
        level,
        depth,
      )
    }
    case 'not':
      return expr.inner.kind === 'symbol' ? [explainOff(context, expr.inner.symbol)] : []
    case 'compare':
      return expr.operator === '=' && expr.right.name === 'y' && expr.left.kind === 'symbol'
        ? [explainOn(context, expr.left, 2, depth)]
        : []
  }
}

function planSize(context: Context, expr: Expr | undefined, level: Tristate): number {
  if (expr === undefined || context.config.expr(expr) >= level) return 0
  return context.planner.raise(expr, level, searchBudget)?.size ?? Number.POSITIVE_INFINITY
}

function selectorCost(context: Context, line: Property, level: Tristate): number {
  const selector = line.node.symbol
  if (selector === undefined) return Number.POSITIVE_INFINITY
  const own = context.planner.raiseSymbol(selector, level, searchBudget)?.size ?? Number.POSITIVE_INFINITY
  return own + planSize(context, line.condition, level)
}

/** The line of least cost; the first one when all are out of reach. */
function bestLine(lines: readonly Property[], cost: (line: Property) => number): Property | undefined {
  let best = lines[0]
  let least = Number.POSITIVE_INFINITY
  for (const line of lines) {
    const price = cost(line)
    if (price < least) {
      least = price
      best = line
    }
  }
  return best
}
