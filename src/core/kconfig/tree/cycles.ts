import { usageError } from '../../errors.ts'
import { originText } from '../types.ts'
import { symbolText, visitSymbols } from './expr.ts'
import type { KconfigTree, KSymbol } from './model.ts'

/**
 * Refuses a tree in which a symbol's value depends on itself.
 * @throws usage error E_KCONFIG_CYCLE that lists the way round with places
 */
export function assertAcyclic(tree: KconfigTree): void {
  const done = new Uint8Array(tree.symbols.length)
  const path: KSymbol[] = []
  const onPath = new Uint8Array(tree.symbols.length)

  function visit(symbol: KSymbol): void {
    if (done[symbol.id] === 1 || symbol.kind === 'constant') return
    if (onPath[symbol.id] === 1) throw cycleError([...path.slice(path.indexOf(symbol)), symbol])
    onPath[symbol.id] = 1
    path.push(symbol)
    for (const next of influences(symbol)) visit(next.choice ?? next)
    for (const member of symbol.members) visitMember(member)
    path.pop()
    onPath[symbol.id] = 0
    done[symbol.id] = 1
  }

  /** Members of one choice may look at each other; what they look at outside counts for the choice. */
  function visitMember(member: KSymbol): void {
    for (const next of influences(member))
      if (next.choice !== member.choice && next !== member.choice) visit(next)
  }

  for (const symbol of tree.symbols) visit(symbol.choice ?? symbol)
}

/** Symbols that a symbol's value is computed from. */
function influences(symbol: KSymbol): ReadonlySet<KSymbol> {
  const found = new Set<KSymbol>()
  const add = (next: KSymbol) => void found.add(next)
  visitSymbols(symbol.reverseDep, add)
  visitSymbols(symbol.implied, add)
  for (const line of [...symbol.prompts, ...symbol.defaults, ...symbol.ranges])
    visitSymbols(line.condition, add)
  if (symbol.kind !== 'choice') for (const line of symbol.defaults) visitSymbols(line.value, add)
  return found
}

function cycleError(cycle: readonly KSymbol[]) {
  const steps = cycle.slice(0, -1).map((symbol, index) => {
    const next = cycle[index + 1]
    const place = symbol.nodes[0]?.origin
    return `${place === undefined ? '' : `${originText(place)}: `}${symbolText(symbol)} depends on ${next === undefined ? '' : symbolText(next)}`
  })
  const place = cycle[0]?.nodes[0]?.origin
  return usageError(
    'E_KCONFIG_CYCLE',
    `${place === undefined ? '' : `${originText(place)}: `}cyclic dependency: ${cycle.map(symbolText).join(' → ')}`,
    { hint: steps.join('\n') },
  )
}
