import { sameValue } from '../dot-config.ts'
import type { DotConfig } from '../types.ts'
import { evaluate, type Configuration } from '../tree/evaluate.ts'
import type { KconfigTree, KSymbol } from '../tree/model.ts'
import { unquote } from '../tree/user-values.ts'
import { createPlanner, type Plan } from './plan.ts'
import { findReach, type Reach } from './reach.ts'

/** A wanted value of one symbol, as a .config writes it. */
export interface Wish {
  readonly symbol: string
  readonly value: string
}

/** Lines that make wishes hold, proved by evaluating the tree with them. */
export interface Fix {
  /** Symbol to .config value, sorted by name; the wished lines are among them. */
  readonly lines: ReadonlyMap<string, string>
  /** What was on in the given configuration and is off with the lines. */
  readonly lost: readonly string[]
}

const budgets: readonly number[] = [1, 2, 3, 4, 6, 8, 12, 16]
const maxRounds = 12

/**
 * Looks for lines that make every wish hold.
 * @returns undefined when none were found
 */
export function findFix(
  tree: KconfigTree,
  base: Pick<DotConfig, 'values'>,
  wishes: readonly Wish[],
): Fix | undefined {
  const before = evaluate(tree, base)
  const reach = findReach(before)
  const wished = new Map(wishes.map((wish) => [wish.symbol, wish.value]))
  let lines: Plan = wished
  for (let round = 0; round < maxRounds; round += 1) {
    const config = evaluate(tree, withLines(base, lines))
    const open = wishes.filter((wish) => !holds(config, wish))
    const [first] = open
    if (first === undefined) return finish(tree, base, before, lines, wishes)
    const plan = planWish(config, reach, first, lines)
    if (plan === undefined) return undefined
    const merged = new Map([...lines, ...plan])
    const grew = merged.size > lines.size || [...plan].some(([name, value]) => lines.get(name) !== value)
    if (!grew) return undefined
    lines = merged
  }
  return undefined
}

/** Whether a wish holds; `y` satisfies a wished `m`. */
export function holds(config: Configuration, wish: Wish): boolean {
  const symbol = config.tree.byName.get(wish.symbol)
  if (symbol === undefined || symbol.nodes.length === 0) return wish.value === 'n'
  if (symbol.type === 'bool' || symbol.type === 'tristate') {
    const state = config.state(symbol)
    return wish.value === 'n' ? state === 0 : wish.value === 'm' ? state > 0 : state === 2
  }
  return sameValue(config.values.get(wish.symbol), wish.value)
}

function planWish(config: Configuration, reach: Reach, wish: Wish, keep: Plan): Plan | undefined {
  const symbol = config.tree.byName.get(wish.symbol)
  if (symbol === undefined) return undefined
  const planner = createPlanner(config, reach, keep)
  for (const budget of budgets) {
    const plan = attempt(planner, symbol, wish.value, budget)
    if (plan !== undefined) return plan
  }
  return undefined
}

function attempt(
  planner: ReturnType<typeof createPlanner>,
  symbol: KSymbol,
  value: string,
  budget: number,
): Plan | undefined {
  if (symbol.type !== 'bool' && symbol.type !== 'tristate')
    return planner.setText(symbol, symbol.type === 'string' ? unquote(value) : value, budget)
  if (value === 'n') return planner.lowerSymbol(symbol, 0, budget)
  return planner.raiseSymbol(symbol, value === 'm' ? 1 : 2, budget)
}

/** The base with lines put after it, so that they win in choices too. */
function withLines(base: Pick<DotConfig, 'values'>, lines: Plan): Pick<DotConfig, 'values'> {
  const values = new Map(base.values)
  for (const [name, value] of lines) {
    values.delete(name)
    values.set(name, value)
  }
  return { values }
}

/** Leaves out every line the wishes hold without, and says what the rest costs. */
function finish(
  tree: KconfigTree,
  base: Pick<DotConfig, 'values'>,
  before: Configuration,
  found: Plan,
  wishes: readonly Wish[],
): Fix | undefined {
  const wished = new Set(wishes.map((wish) => wish.symbol))
  // Proved in the order in which they are told: of several members of a choice the order decides.
  let lines: Plan = new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
  for (const name of found.keys()) {
    if (wished.has(name)) continue
    const fewer = new Map([...lines].filter(([other]) => other !== name))
    const config = evaluate(tree, withLines(base, fewer))
    if (wishes.every((wish) => holds(config, wish))) lines = fewer
  }
  const after = evaluate(tree, withLines(base, lines))
  if (!wishes.every((wish) => holds(after, wish))) return undefined
  const lost = [...before.values]
    .filter(([name, value]) => (value === 'y' || value === 'm') && (after.values.get(name) ?? 'n') === 'n')
    .map(([name]) => name)
    .filter((name) => lines.get(name) !== 'n')
  return { lines, lost: lost.sort() }
}
