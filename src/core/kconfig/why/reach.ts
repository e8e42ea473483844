import type { Configuration } from '../tree/evaluate.ts'
import { isDefined, type Expr, type KSymbol, type Property, type Tristate } from '../tree/model.ts'

/** What no .config can change in a tree. */
export interface Reach {
  /** The highest value some .config may give it. That it cannot be higher is certain. */
  readonly highest: (symbol: KSymbol) => Tristate
  readonly highestOfExpr: (expr: Expr | undefined) => Tristate
  /** Whether every .config has it on. An answer `true` is certain. */
  readonly isAlwaysOn: (symbol: KSymbol) => boolean
  readonly isPinned: (symbol: KSymbol) => boolean
}

/** Turning these over on a 64-bit build asks for another architecture, not for another configuration. */
const architectureSymbols: readonly string[] = ['64BIT', 'X86_32', 'X86_64']

/**
 * Finds what is possible at all in a tree; a 64-bit configuration stays one.
 * Each symbol on its own: whether two of them go together is not asked.
 */
export function findReach(config: Configuration): Reach {
  const { tree } = config
  const fixed = pinnedSymbols(config)
  const always = new Uint8Array(tree.symbols.length)
  const possible = new Uint8Array(tree.symbols.length)

  const isSettled = (symbol: KSymbol): boolean =>
    symbol.kind === 'constant' || !isDefined(symbol) || hasOnlyText(symbol)

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

  /** The highest value an expression can have. */
  function highest(expr: Expr | undefined): Tristate {
    if (expr === undefined) return 2
    switch (expr.kind) {
      case 'symbol':
        return isSettled(expr.symbol) ? config.state(expr.symbol) : (possible[expr.symbol.id] as Tristate)
      case 'and':
        return Math.min(highest(expr.left), highest(expr.right)) as Tristate
      case 'or':
        return Math.max(highest(expr.left), highest(expr.right)) as Tristate
      case 'not':
        return mustBeTrue(expr.inner) ? 0 : 2
      case 'compare':
        if (isSettled(expr.left) && isSettled(expr.right)) return config.expr(expr)
        return canCompare(expr) ? 2 : 0
    }
  }

  /** `A=y` needs A to be possible; other comparisons are taken as possible. */
  function canCompare(expr: Extract<Expr, { kind: 'compare' }>): boolean {
    const { left, right, operator } = expr
    const wantsOn =
      operator === '=' && right.kind === 'constant' && (right.name === 'y' || right.name === 'm')
    return (
      !wantsOn ||
      (isSettled(left) ? config.expr(expr) : (possible[left.id] ?? 0)) >= 'nmy'.indexOf(right.name)
    )
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

  function highestOf(symbol: KSymbol): Tristate {
    if (fixed.has(symbol)) return config.state(symbol)
    if (symbol.type === 'int' || symbol.type === 'hex' || symbol.type === 'string') return 2
    let value: number = always[symbol.id] === 1 ? 1 : 0
    for (const line of symbol.prompts) value = Math.max(value, highest(line.condition))
    for (const line of symbol.defaults)
      value = Math.max(value, Math.min(highest(line.condition), highest(line.value)))
    for (const line of [...symbol.selectedBy, ...symbol.impliedBy]) {
      const selector = selectorOf(line)
      const level = selector === undefined ? 0 : (possible[selector.id] ?? 0)
      value = Math.max(value, Math.min(level, highest(line.condition)))
    }
    return value > 0 && symbol.type === 'bool' ? 2 : (value as Tristate)
  }

  settle(tree.symbols, always, (symbol) => (mustBeOn(symbol) ? 1 : 0), 1)
  settle(tree.symbols, possible, highestOf, 2)
  return {
    highest: (symbol) => (isSettled(symbol) ? config.state(symbol) : (possible[symbol.id] as Tristate)),
    highestOfExpr: highest,
    isAlwaysOn: (symbol) => always[symbol.id] === 1,
    isPinned: (symbol) => fixed.has(symbol),
  }
}

function pinnedSymbols(config: Configuration): ReadonlySet<KSymbol> {
  const symbols = architectureSymbols
    .map((name) => config.tree.byName.get(name))
    .filter((symbol) => symbol !== undefined)
  const is64Bit = symbols.some((symbol) => symbol.name === '64BIT' && config.state(symbol) === 2)
  return new Set(is64Bit ? symbols : [])
}

/** A number or string without prompt that the tree sets to one constant, such as a compiler's version. */
function hasOnlyText(symbol: KSymbol): boolean {
  if (symbol.type === 'bool' || symbol.type === 'tristate' || symbol.prompts.length > 0) return false
  const first = symbol.defaults[0]
  if (first?.condition !== undefined || first?.value?.kind !== 'symbol') return false
  return first.value.symbol.kind === 'constant' || !isDefined(first.value.symbol)
}

/** Raises marks until nothing more follows. */
function settle(
  symbols: readonly KSymbol[],
  marks: Uint8Array,
  markOf: (symbol: KSymbol) => number,
  highestMark: number,
): void {
  let open = symbols.filter((symbol) => symbol.kind !== 'constant' && isDefined(symbol))
  for (let changed = true; changed;) {
    changed = false
    for (const symbol of open) {
      const mark = markOf(symbol)
      if (mark <= (marks[symbol.id] ?? 0)) continue
      marks[symbol.id] = mark
      changed = true
    }
    open = open.filter((symbol) => (marks[symbol.id] ?? 0) < highestMark)
  }
}
