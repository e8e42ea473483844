import type { KconfigTree, KSymbol } from './tree/model.ts'
import type { Assignment } from './types.ts'

/** A line that a later one for another member of the same choice beats. */
export interface OverruledLine {
  readonly line: Assignment
  readonly by: Assignment
}

/** Wanted lines as a tree with choices takes them. */
export interface ChoiceOrder {
  /** Without the lines that another member of their choice beats, in the order given. */
  readonly wanted: readonly Assignment[]
  readonly overruled: readonly OverruledLine[]
}

/**
 * Of several members of a choice that are set to `y`, conf takes the last one (sym_set_tristate_value and
 * choice_set_value of scripts/kconfig/symbol.c), so the earlier lines want what a later layer took back.
 * @param assignments one a symbol, in the order of the layers
 */
export function inChoices(
  tree: Pick<KconfigTree, 'byName'>,
  assignments: readonly Assignment[],
): ChoiceOrder {
  const last = new Map<KSymbol, Assignment>()
  for (const line of assignments) {
    const choice = choiceOf(tree, line)
    if (choice !== undefined) last.set(choice, line)
  }
  const overruled = assignments.flatMap((line) => {
    const choice = choiceOf(tree, line)
    const by = choice === undefined ? undefined : last.get(choice)
    return by === undefined || by === line ? [] : [{ line, by }]
  })
  const lost = new Set(overruled.map(({ line }) => line))
  return { wanted: assignments.filter((line) => !lost.has(line)), overruled }
}

/**
 * Members of choices that must be turned off for the wanted ones to win where lines are sorted by name, as
 * OpenWrt's scripts/kconfig.pl does.
 * @param assignments one a symbol, in the order of the layers
 * @param merged the sorted configuration in which others may still be on
 * @returns names, sorted
 */
export function rivalsOf(
  tree: Pick<KconfigTree, 'byName'>,
  assignments: readonly Assignment[],
  merged: ReadonlyMap<string, string>,
): readonly string[] {
  const rivals = inChoices(tree, assignments).wanted.flatMap((line) =>
    (choiceOf(tree, line)?.members ?? [])
      .map((member) => member.name)
      .filter((name) => name !== line.symbol && merged.get(name) === 'y'),
  )
  return [...new Set(rivals)].sort()
}

/** The choice that a line decides. */
const choiceOf = (tree: Pick<KconfigTree, 'byName'>, line: Assignment): KSymbol | undefined =>
  line.value === 'y' ? tree.byName.get(line.symbol)?.choice : undefined
