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
  /** One a symbol, in the order of the last layers that set them: of a choice, conf takes the last member. */
  readonly assignments: readonly Assignment[]
  readonly redefinitions: readonly Redefinition[]
}

/**
 * Merges layers in order, the last one winning, except that a wanted `m` is satisfied by a `y`
 * below it unless its layer is literal. Where two layers agree, the stronger need stays. A line that is set
 * again moves to its last place, as the kernel's scripts/kconfig/merge_config.sh puts it.
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
      const agrees = sameValue(earlier.value, later.value)
      const staysStronger = earlier.value === 'y' && later.value === 'm' && !layer.literal
      if (!agrees) redefinitions.push({ earlier, later, kept: staysStronger ? 'earlier' : 'later' })
      if (staysStronger) continue
      // A Map keeps the first place of a key.
      merged.delete(later.symbol)
      merged.set(later.symbol, agrees && earlier.need === 'required' ? earlier : later)
    }
  }
  return { assignments: [...merged.values()], redefinitions }
}

/**
 * Writes assignments as a plain fragment, in the order given: conf takes the last of several members of a choice.
 * @param header comment lines without `#`
 */
export function renderFragment(
  assignments: readonly Pick<Assignment, 'symbol' | 'value'>[],
  header: readonly string[] = [],
): string {
  const lines = [
    ...header.map((line) => `# ${line}`),
    ...assignments.map((a) => configLine(a.symbol, a.value)),
  ]
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}
