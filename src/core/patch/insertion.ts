import type { Alignment, Pattern } from './align.ts'
import type { FileText } from './file-text.ts'
import type { ChangeGroup, HunkSides } from './hunk-sides.ts'
import type { Edit } from './placement.ts'

/** One reading of an alignment: where each group of changes goes. */
export interface Reading {
  readonly edits: readonly Edit[]
  /** Why it is not clear, undefined when it is. */
  readonly doubt: string | undefined
  /** What the reading loses in score against the best one. */
  readonly penalty: number
}

/** Readings beyond the clear one: more doubtful groups than this are not worth telling apart. */
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
    const points = pointsOf(file, group, pattern, alignment)
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

function pointsOf(
  file: FileText,
  group: ChangeGroup,
  pattern: Pattern,
  alignment: Alignment,
): readonly Point[] {
  const { map } = alignment
  void file
  if (group.removed > 0) return [{ at: map[group.preStart] ?? 0, doubt: undefined, penalty: 0 }]
  const before = lastMatched(map, group.preStart - 1)
  const after = firstMatched(map, group.preStart)
  if (before === -1) return [sure(map[after] ?? 0)]
  if (after === -1) return [sure((map[before] ?? 0) + 1)]
  const [low, high] = [(map[before] ?? 0) + 1, map[after] ?? 0]
  if (low === high) return [sure(low)]
  const left = { at: low, evidence: evidence(pattern, alignment, before, -1) }
  const right = { at: high, evidence: evidence(pattern, alignment, after, 1) }
  const [stronger, weaker] = left.evidence >= right.evidence ? [left, right] : [right, left]
  const share = (stronger.evidence - weaker.evidence) / (stronger.evidence + weaker.evidence)
  const doubt = 'lines were inserted right where the hunk adds its own, before or behind them is not clear'
  return [
    { at: stronger.at, doubt, penalty: 0 },
    { at: weaker.at, doubt, penalty: share * 0.3 },
  ]
}

const sure = (at: number): Point => ({ at, doubt: undefined, penalty: 0 })

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
