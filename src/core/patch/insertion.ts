import type { Alignment, Pattern } from './align.ts'
import type { FileText } from './file-text.ts'
import type { ChangeGroup, HunkSides } from './hunk-sides.ts'
import type { Edit } from './placement.ts'
import { standsAt } from './file-text.ts'

/** One reading of an alignment: where each group of changes goes. */
export interface Reading {
  readonly edits: readonly Edit[]
  /** Why it is not clear, undefined when it is. */
  readonly doubt: string | undefined
  /** What the reading loses in score against the best one. */
  readonly penalty: number
}

/** More doubtful groups than this in one hunk are not worth telling apart. */
const maxReadings = 8

/** All ways to put the hunk's changes at an alignment, the likeliest first. */
export function insertionPoints(
  file: FileText,
  sides: HunkSides,
  pattern: Pattern,
  alignment: Alignment,
): readonly Reading[] {
  let readings: Reading[] = [{ edits: [], doubt: undefined, penalty: 0 }]
  for (const group of sides.groups) {
    const points =
      group.removed > 0
        ? removal(file, group, pattern, alignment)
        : insertion(file, group, pattern, alignment)
    readings = readings.flatMap((reading) =>
      points.map(({ at, doubt, penalty }) => ({
        edits: [...reading.edits, { at, removed: group.removed, added: group.added }],
        doubt: reading.doubt ?? doubt,
        penalty: reading.penalty + penalty,
      })),
    )
    readings = readings.sort((a, b) => a.penalty - b.penalty).slice(0, maxReadings)
  }
  return readings
}

interface Point {
  readonly at: number
  readonly doubt: string | undefined
  readonly penalty: number
}

const sure = (at: number): Point => ({ at, doubt: undefined, penalty: 0 })

/** Lines to be removed stand where they stand, unless the same lines stand there twice. */
function removal(
  file: FileText,
  group: ChangeGroup,
  pattern: Pattern,
  alignment: Alignment,
): readonly Point[] {
  const { map } = alignment
  const here = map[group.preStart] ?? 0
  const end = group.preStart + group.removed
  const before = lastMatched(map, group.preStart - 1)
  const after = firstMatched(map, end)
  const from = before === -1 ? here : (map[before] ?? 0) + 1
  const to = after === -1 ? here + group.removed : (map[after] ?? 0)
  const wanted = pattern.lines.slice(group.preStart, end)
  const others: Point[] = []
  const doubt = 'the lines to be removed stand twice within the context'
  for (let at = from; at + group.removed <= to; at++) {
    if (at !== here && standsAt(file.lines, at, wanted)) others.push({ at, doubt, penalty: 0.02 })
  }
  return others.length === 0 ? [sure(here)] : [{ at: here, doubt, penalty: 0 }, ...others]
}

/** Lines to be added go between their neighbours; where those stand apart now, both ends are possible. */
function insertion(
  file: FileText,
  group: ChangeGroup,
  pattern: Pattern,
  alignment: Alignment,
): readonly Point[] {
  const { map } = alignment
  const before = lastMatched(map, group.preStart - 1)
  const after = firstMatched(map, group.preStart)
  if (before === -1) return [sure(map[after] ?? 0)]
  if (after === -1) return [sure((map[before] ?? 0) + 1)]
  const [low, high] = [(map[before] ?? 0) + 1, map[after] ?? 0]
  if (low === high) return [sure(low)]
  // What stands between took the place of context that is gone: it is on that side of the added lines.
  const [goneBefore, goneAfter] = [group.preStart - 1 - before, after - group.preStart]
  if (goneBefore > 0 && goneAfter === 0) return [sure(high)]
  if (goneAfter > 0 && goneBefore === 0) return [sure(low)]
  const decided = goneBefore === 0 ? blockEdge(file, group, pattern.lines, low, high) : undefined
  if (decided !== undefined) return [sure(decided)]
  const left = { at: low, evidence: evidence(pattern, alignment, before, -1) }
  const right = { at: high, evidence: evidence(pattern, alignment, after, 1) }
  const [stronger, weaker] = left.evidence >= right.evidence ? [left, right] : [right, left]
  const share = (stronger.evidence - weaker.evidence) / (stronger.evidence + weaker.evidence)
  const doubt = 'lines were inserted right where the hunk adds its own: before or behind them is not clear'
  return [
    { at: stronger.at, doubt, penalty: 0 },
    { at: weaker.at, doubt, penalty: share * 0.3 },
  ]
}

/** Longer runs of new lines are more than a few siblings. */
const maxSiblings = 12

const isBlank = (line: string): boolean => line.trim() === ''
const isClosing = (line: string): boolean =>
  /^\s*([}\])]|\*\/|\{\s*\}|#\s*endif|end(if|menu|choice)?\b)/.test(line)
const isOpening = (line: string): boolean => /[{([]\s*$/.test(line)

/**
 * What was last in its block stays last, what was first stays first: the place is the block's end (or
 * begin), not the end of the gap. Undefined where the added lines stood at neither.
 */
function blockEdge(
  file: FileText,
  group: ChangeGroup,
  pre: readonly string[],
  low: number,
  high: number,
): number | undefined {
  const [previous = '', next = ''] = [pre[group.preStart - 1], pre[group.preStart]]
  const { added } = group
  if (isBlank(added[0] ?? '') || isBlank(added.at(-1) ?? '')) return undefined
  if (high - low > maxSiblings) return undefined
  if (
    !isBlank(previous) &&
    !isClosing(previous) &&
    !isOpening(previous) &&
    (isBlank(next) || isClosing(next))
  ) {
    for (let at = low; at < high; at++) {
      const line = file.lines[at] ?? ''
      if (isBlank(line) || isClosing(line)) return at
    }
    return high
  }
  if (isOpening(previous) && !isClosing(next) && !isBlank(next)) return low
  return undefined
}

function lastMatched(map: readonly number[], from: number): number {
  for (let at = from; at >= 0; at--) if ((map[at] ?? -1) >= 0) return at
  return -1
}

function firstMatched(map: readonly number[], from: number): number {
  for (let at = from; at < map.length; at++) if ((map[at] ?? -1) >= 0) return at
  return -1
}

/** Weight of the unbroken run of context that leads away from a gap, its nearest lines most. */
function evidence(pattern: Pattern, alignment: Alignment, start: number, step: -1 | 1): number {
  let [sum, factor, expected] = [0, 1, alignment.map[start] ?? -1]
  for (let at = start; at >= 0 && at < alignment.map.length; at += step) {
    if (alignment.map[at] !== expected) break
    sum += factor * (pattern.weights[at] ?? 0) * (alignment.likeness[at] ?? 0)
    factor *= 0.6
    expected += step
  }
  return sum
}
