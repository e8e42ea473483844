import type { Configuration } from '../tree/evaluate.ts'
import { isDefined, type Expr, type KSymbol, type Property, type Tristate } from '../tree/model.ts'
import { isValidNumber } from '../tree/numbers.ts'
import { quote } from '../tree/user-values.ts'
import type { Reach } from './reach.ts'

/** Assignments, symbol to .config value, that should make something hold. */
export type Plan = ReadonlyMap<string, string>

/** Finds plans against one evaluated configuration. */
export interface Planner {
  /** Makes an expression at least `level`. */
  readonly raise: (expr: Expr | undefined, level: Tristate, budget: number) => Plan | undefined
  readonly raiseSymbol: (symbol: KSymbol, level: Tristate, budget: number) => Plan | undefined
  readonly lowerSymbol: (symbol: KSymbol, level: Tristate, budget: number) => Plan | undefined
  /** Gives a number or string a value. */
  readonly setText: (symbol: KSymbol, value: string, budget: number) => Plan | undefined
}

const nothing: Plan = new Map()

/**
 * Plans the fewest assignments it finds, never more than a budget.
 * @param keep symbols an earlier plan has set: not to be set otherwise
 */
export function createPlanner(config: Configuration, reach: Reach, keep: Plan): Planner {
  const { tree } = config
  const busy = new Set<string>()
  const plans = new Map<string, Plan>()
  /** Budgets that did not do. */
  const failed = new Map<string, number>()
  let circles = 0
  const modulesOn = tree.modules !== undefined && config.state(tree.modules) !== 0

  const assign = (symbol: KSymbol, value: string): Plan | undefined => {
    if (reach.isPinned(symbol)) return undefined
    const agreed = agree(keep.get(symbol.name), value)
    return agreed === undefined ? undefined : new Map([[symbol.name, agreed]])
  }

  /** All of several, which may share assignments; undefined when one fails or two disagree. */
  function all(parts: readonly ((budget: number) => Plan | undefined)[], budget: number): Plan | undefined {
    const together = new Map<string, string>()
    for (const part of parts) {
      const plan = part(budget)
      if (plan === undefined) return undefined
      for (const [name, value] of plan) {
        const agreed = agree(together.get(name), value)
        if (agreed === undefined) return undefined
        together.set(name, agreed)
      }
      if (together.size > budget) return undefined
    }
    return together
  }

  /** The shortest of several, each found within what the best so far costs. */
  function cheapest(ways: Iterable<(budget: number) => Plan | undefined>, budget: number): Plan | undefined {
    let best: Plan | undefined
    for (const way of ways) {
      const limit = best === undefined ? budget : best.size - 1
      if (limit < 0) break
      const plan = way(limit)
      if (plan !== undefined && plan.size <= limit) best = plan
    }
    return best
  }

  /**
   * Answers one question about one symbol, once: a question met again on the way to its own answer
   * has none, and answers found elsewhere are used again.
   */
  function answer(key: string, budget: number, body: () => Plan | undefined): Plan | undefined {
    const known = plans.get(key)
    if (known !== undefined) return known.size <= budget ? known : undefined
    if (budget <= (failed.get(key) ?? 0)) return undefined
    if (busy.has(key)) {
      circles += 1
      return undefined
    }
    busy.add(key)
    const circlesBefore = circles
    const plan = body()
    busy.delete(key)
    if (plan !== undefined) plans.set(key, plan)
    // A failure that came from a circle is only one of this way round.
    else if (circles === circlesBefore) failed.set(key, budget)
    return plan
  }

  function raise(expr: Expr | undefined, level: Tristate, budget: number): Plan | undefined {
    if (expr === undefined || config.expr(expr) >= level) return nothing
    if (budget <= 0 || reach.highestOfExpr(expr) < level) return undefined
    switch (expr.kind) {
      case 'symbol':
        return raiseSymbol(expr.symbol, level, budget)
      case 'and':
        return all(
          [(left) => raise(expr.left, level, left), (left) => raise(expr.right, level, left)],
          budget,
        )
      case 'or':
        return cheapest(
          [(left) => raise(expr.left, level, left), (left) => raise(expr.right, level, left)],
          budget,
        )
      case 'not':
        return lower(expr.inner, (2 - level) as Tristate, budget)
      case 'compare':
        return makeCompare(expr, budget)
    }
  }

  function lower(expr: Expr | undefined, level: Tristate, budget: number): Plan | undefined {
    if (expr === undefined) return undefined
    if (config.expr(expr) <= level) return nothing
    if (budget <= 0) return undefined
    switch (expr.kind) {
      case 'symbol':
        return lowerSymbol(expr.symbol, level, budget)
      case 'and':
        return cheapest(
          [(left) => lower(expr.left, level, left), (left) => lower(expr.right, level, left)],
          budget,
        )
      case 'or':
        return all(
          [(left) => lower(expr.left, level, left), (left) => lower(expr.right, level, left)],
          budget,
        )
      case 'not':
        return raise(expr.inner, (2 - level) as Tristate, budget)
      case 'compare':
        return makeCompare({ ...expr, operator: opposite[expr.operator] }, budget)
    }
  }

  function raiseSymbol(symbol: KSymbol, level: Tristate, budget: number): Plan | undefined {
    if (config.state(symbol) >= level) return nothing
    if (!isDefined(symbol) || symbol.kind === 'constant' || reach.highest(symbol) < level) return undefined
    const inner = symbol.type === 'tristate' && modulesOn ? level : 1
    return answer(`+${symbol.id}:${level}`, budget, () => {
      const direct = cheapest(
        symbol.prompts.map((line) => (left: number) => askPrompt(symbol, line, level, inner, left)),
        budget,
      )
      if (direct !== undefined) return direct
      const selectors = symbol.selectedBy.map((line) => (left: number) => useSelector(line, inner, left))
      const defaults =
        symbol.prompts.length > 0
          ? []
          : symbol.defaults.map((line) => (left: number) => useDefault(line, inner, left))
      const implies =
        symbol.prompts.length > 0
          ? []
          : symbol.impliedBy.map((line) => (left: number) => useImply(symbol, line, inner, left))
      return cheapest([...selectors, ...defaults, ...implies], budget)
    })
  }

  function askPrompt(
    symbol: KSymbol,
    line: Property,
    level: Tristate,
    inner: Tristate,
    budget: number,
  ): Plan | undefined {
    if (symbol.kind === 'choice') return raise(line.condition, inner, budget)
    const value = symbol.type === 'bool' || !modulesOn || level === 2 ? 'y' : 'm'
    return all([() => assign(symbol, value), (left) => raise(line.condition, inner, left)], budget)
  }

  function useSelector(line: Property, level: Tristate, budget: number): Plan | undefined {
    const selector = line.node.symbol
    if (selector === undefined) return undefined
    return all(
      [(left) => raise(line.condition, level, left), (left) => raiseSymbol(selector, level, left)],
      budget,
    )
  }

  /** An implied symbol only follows where its own dependencies are met. */
  const useImply = (symbol: KSymbol, line: Property, level: Tristate, budget: number): Plan | undefined =>
    all([(left) => useSelector(line, level, left), (left) => raise(symbol.directDep, level, left)], budget)

  const useDefault = (line: Property, level: Tristate, budget: number): Plan | undefined =>
    all([(left) => raise(line.condition, level, left), (left) => raise(line.value, level, left)], budget)

  function lowerSymbol(symbol: KSymbol, asked: Tristate, budget: number): Plan | undefined {
    if (config.state(symbol) <= asked) return nothing
    // A bool that is to be no more than `m` has to be off.
    const level = symbol.type === 'tristate' && modulesOn ? asked : 0
    if (symbol.kind === 'constant' || reach.isAlwaysOn(symbol)) return undefined
    return answer(`-${symbol.id}:${level}`, budget, () => {
      if (symbol.choice !== undefined) return leaveChoice(symbol, budget)
      const selectors = symbol.selectedBy.filter((line) => selectorLevel(line) > level)
      const off = selectors.map((line) => (left: number) => stopSelector(line, level, left))
      const own =
        config.visibility(symbol) > 0
          ? [() => assign(symbol, level === 0 ? 'n' : 'm')]
          : symbol.defaults
              .filter((line) => config.expr(line.condition) > 0 && config.expr(line.value) > level)
              .map((line) => (left: number) => stopDefault(line, level, left))
      return all([...off, ...own], budget)
    })
  }

  const selectorLevel = (line: Property): number =>
    line.node.symbol === undefined ? 0 : Math.min(config.state(line.node.symbol), config.expr(line.condition))

  function stopSelector(line: Property, level: Tristate, budget: number): Plan | undefined {
    const selector = line.node.symbol
    if (selector === undefined) return undefined
    return cheapest(
      [(left) => lowerSymbol(selector, level, left), (left) => lower(line.condition, level, left)],
      budget,
    )
  }

  const stopDefault = (line: Property, level: Tristate, budget: number): Plan | undefined =>
    cheapest([(left) => lower(line.condition, 0, left), (left) => lower(line.value, level, left)], budget)

  /** A chosen member goes off only when another one is chosen. */
  function leaveChoice(symbol: KSymbol, budget: number): Plan | undefined {
    const others = symbol.choice?.members.filter((member) => member !== symbol) ?? []
    return cheapest(
      others.map((member) => (left: number) => raiseSymbol(member, 2, left)),
      budget,
    )
  }

  function setText(symbol: KSymbol, value: string, budget: number): Plan | undefined {
    if (config.text(symbol) === value) return nothing
    if (symbol.type !== 'string' && !isValidNumber(value, symbol.type)) return undefined
    return answer(`=${symbol.id}:${value}`, budget, () =>
      cheapest(
        symbol.prompts.map(
          (line) => (left: number) =>
            all(
              [
                () => assign(symbol, symbol.type === 'string' ? quote(value) : value),
                (rest) => raise(line.condition, 1, rest),
              ],
              left,
            ),
        ),
        budget,
      ),
    )
  }

  function makeCompare(expr: Extract<Expr, { kind: 'compare' }>, budget: number): Plan | undefined {
    const swapped = expr.left.kind === 'constant'
    const symbol = swapped ? expr.right : expr.left
    const other = config.text(swapped ? expr.left : expr.right)
    const operator = swapped ? mirrored[expr.operator] : expr.operator
    if (symbol.kind === 'constant' || !isDefined(symbol)) return undefined
    if (symbol.type === 'bool' || symbol.type === 'tristate')
      return compareState(symbol, operator, other, budget)
    if (operator === '=') return setText(symbol, other, budget)
    if (!/^-?\d+$/.test(other)) return undefined
    const number = BigInt(other)
    const target = {
      '<': number - 1n,
      '<=': number,
      '>': number + 1n,
      '>=': number,
      '!=': number + 1n,
      '=': number,
    }[operator]
    return setText(symbol, symbol.type === 'hex' ? `0x${target.toString(16)}` : String(target), budget)
  }

  function compareState(symbol: KSymbol, operator: string, other: string, budget: number): Plan | undefined {
    const level = 'nmy'.indexOf(other)
    if (level === -1) return undefined
    const up = (to: number) => (left: number) => raiseSymbol(symbol, to as Tristate, left)
    const down = (to: number) => (left: number) => lowerSymbol(symbol, to as Tristate, left)
    switch (operator) {
      case '=':
        return config.state(symbol) < level ? up(level)(budget) : down(level)(budget)
      case '!=':
        return cheapest(
          [...(level < 2 ? [up(level + 1)] : []), ...(level > 0 ? [down(level - 1)] : [])],
          budget,
        )
      case '<':
        return level > 0 ? down(level - 1)(budget) : undefined
      case '<=':
        return down(level)(budget)
      case '>':
        return level < 2 ? up(level + 1)(budget) : undefined
      default:
        return up(level)(budget)
    }
  }

  return { raise, raiseSymbol, lowerSymbol, setText }
}

/** One value for two demands: `y` serves a wanted `m`; undefined when they contradict each other. */
function agree(earlier: string | undefined, value: string): string | undefined {
  if (earlier === undefined || earlier === value) return value
  const both = new Set([earlier, value])
  return both.has('y') && both.has('m') ? 'y' : undefined
}

const opposite = { '=': '!=', '!=': '=', '<': '>=', '<=': '>', '>': '<=', '>=': '<' } as const
const mirrored = { '=': '=', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const
