import { configLine, sameValue } from './dot-config.ts'
import type { Assignment } from './types.ts'

/** One layer of a merge, lowest first. */
export interface FragmentLayer {
  readonly assignments: readonly Assignment[]
  /** The user's own layer is taken literally: its `m` replaces a `y` below it. */
  readonly literal: boolean
}

/** A symbol that two layers give different values. */
export interface Redefinition {
  readonly earlier: Assignment
  readonly later: Assignment
  readonly kept: 'earlier' | 'later'
}

export interface MergedFragments {
  /** One a symbol, sorted by name. */
  readonly assignments: readonly Assignment[]
  readonly redefinitions: readonly Redefinition[]
}

/**
 * Merges layers in order, the last one winning, except that a wanted `m` is satisfied by a `y`
 * below it unless its layer is literal. Where two layers agree, the stronger need stays.
 */
export function mergeFragments(layers: readonly FragmentLayer[]): MergedFragments {
  const merged = new Map<string, Assignment>()
  const redefinitions: Redefinition[] = []
  for (const layer of layers) {
    for (const later of layer.assignments) {
      const earlier = merged.get(later.symbol)
      if (earlier === undefined) {
        merged.set(later.symbol, later)
        continue
      }
      if (sameValue(earlier.value, later.value)) {
        if (earlier.need === 'optional') merged.set(later.symbol, later)
        continue
      }
      const kept = earlier.value === 'y' && later.value === 'm' && !layer.literal ? 'earlier' : 'later'
      redefinitions.push({ earlier, later, kept })
      if (kept === 'later') merged.set(later.symbol, later)
    }
  }
  return {
    assignments: [...merged.values()].sort((a, b) => (a.symbol < b.symbol ? -1 : 1)),
    redefinitions,
  }
}

/**
 * Writes assignments as a plain fragment, sorted by symbol, so that the same input gives the same bytes.
 * @param header comment lines without `#`
 */
export function renderFragment(
  assignments: readonly Pick<Assignment, 'symbol' | 'value'>[],
  header: readonly string[] = [],
): string {
  const sorted = [...assignments].sort((a, b) => (a.symbol < b.symbol ? -1 : 1))
  const lines = [...header.map((line) => `# ${line}`), ...sorted.map((a) => configLine(a.symbol, a.value))]
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}
