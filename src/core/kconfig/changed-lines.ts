import { evaluate } from './tree/evaluate.ts'
import type { KconfigTree } from './tree/model.ts'

type Values = ReadonlyMap<string, string>

/** What was changed, and how lines take effect. */
export interface Change {
  readonly tree: KconfigTree
  /** The whole configuration to arrive at, as conf or menuconfig wrote it. */
  readonly wanted: Values
  /** The configuration, not yet completed, that the layers give with these lines put on top. */
  readonly merge: (lines: Values) => Values
}

export interface ChangedLines {
  /** Sorted by symbol; empty when nothing was changed. */
  readonly lines: Values
  /** What no lines on top reach, because a layer above them says otherwise; empty on success. */
  readonly unreachable: readonly string[]
}

/**
 * Finds lines that make the layers give exactly the wanted configuration, none of which can be left out:
 * what follows by itself is not among them.
 */
export function changedLines(change: Change): ChangedLines {
  const goal = evaluate(change.tree, { values: change.wanted }).values
  const missed = (lines: Values): readonly string[] =>
    differingNames(evaluate(change.tree, { values: change.merge(lines) }).values, goal)
  const found = enoughLines(change.tree, goal, missed)
  if (found.missed.length > 0) return { lines: new Map(), unreachable: found.missed }
  const lines = withoutNeedless(found.lines, (fewer) => missed(fewer).length === 0)
  return { lines: new Map([...lines].sort(([a], [b]) => (a < b ? -1 : 1))), unreachable: [] }
}

/** Symbols that two configurations give another value, or that only one of them has; sorted. */
export const differingNames = (a: Values, b: Values): readonly string[] =>
  [...new Set([...a.keys(), ...b.keys()])].filter((name) => a.get(name) !== b.get(name)).sort()

/** Adds a line for every symbol that is still different, until none is or no line helps. */
function enoughLines(
  tree: KconfigTree,
  goal: Values,
  missed: (lines: Values) => readonly string[],
): { readonly lines: Values; readonly missed: readonly string[] } {
  const lines = new Map<string, string>()
  for (;;) {
    const open = missed(lines)
    const size = lines.size
    for (const name of open.flatMap((missing) => withSiblings(tree, missing))) {
      const value = lineValue(tree, goal, name)
      if (value !== undefined) lines.set(name, value)
    }
    if (open.length === 0 || lines.size === size) return { lines, missed: open }
  }
}

/** A choice is settled by all of its members, also by those nobody is asked about now. */
function withSiblings(tree: KconfigTree, name: string): readonly string[] {
  const choice = tree.byName.get(name)?.choice
  return choice === undefined ? [name] : choice.members.map((member) => member.name)
}

/** What a line would say; undefined where nobody is asked, so that no line has an effect. */
function lineValue(tree: KconfigTree, goal: Values, name: string): string | undefined {
  const symbol = tree.byName.get(name)
  if (symbol === undefined || symbol.prompts.length === 0) return undefined
  const value = goal.get(name)
  if (value !== undefined) return value === '' ? undefined : value
  return symbol.type === 'bool' || symbol.type === 'tristate' ? 'n' : undefined
}

/** Leaves lines out, many at a time first, until none can be: `n` follows by itself more often than `y`. */
function withoutNeedless(lines: Values, enough: (lines: Values) => boolean): Values {
  let kept = [...lines].sort(([, a], [, b]) => Number(b === 'n') - Number(a === 'n'))
  let size = kept.length
  while (size >= 1) {
    let dropped = false
    for (let from = 0; from < kept.length;) {
      const fewer = [...kept.slice(0, from), ...kept.slice(from + size)]
      if (enough(new Map(fewer))) {
        kept = fewer
        dropped = true
      } else from += size
    }
    if (size > 1) size = Math.ceil(size / 2)
    else if (!dropped) break
  }
  return new Map(kept)
}
