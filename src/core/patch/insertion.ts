import type { Alignment, Pattern } from './align.ts'
import { exactPositions, type FileText, standsAt } from './file-text.ts'
import type { ChangeGroup, HunkSides } from './hunk-sides.ts'
import type { Edit } from './placement.ts'
import { decide, runWeight, sortedPlace } from './gap-end.ts'
import { besideSwapped, hasStrayed } from './reordered.ts'
import { isWeak, lineInformation, minTornInformation } from './weigh.ts'

/** One reading of an alignment: where each group of changes goes. */
export interface Reading {
  readonly edits: readonly Edit[]
  /** Why it is not clear, undefined when it is. */
  readonly doubt: string | undefined
  /** What the reading loses in score against the best one. */
  readonly penalty: number
  /** Each change has something telling right beside it: the rest of the context may be gone. */
  readonly anchored: boolean
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
  let readings: Reading[] = [{ edits: [], doubt: undefined, penalty: 0, anchored: true }]
  for (const group of sides.groups) {
    const points =
      group.removed > 0
        ? removal(file, group, pattern, alignment)
        : insertion(file, group, pattern, alignment)
    readings = readings.flatMap((reading) =>
      points
        .filter(({ at }) => follows(at, reading.edits.at(-1)))
        .map(({ at, doubt, penalty }) => ({
          edits: [...reading.edits, { at, removed: group.removed, added: group.added }],
          doubt: reading.doubt ?? doubt,
          penalty: reading.penalty + penalty,
          anchored: reading.anchored && isAnchored(file, group, pattern, at),
        })),
    )
    readings = readings.sort((a, b) => a.penalty - b.penalty).slice(0, maxReadings)
  }
  return readings
}

/** The changes of a hunk keep their order: a place ahead of the change before is none. */
const follows = (at: number, before: Edit | undefined): boolean =>
  before === undefined || at >= before.at + before.removed

/** Removed lines that the file has once, or a telling run of context right beside added ones. */
const minAnchor = 1

function isAnchored(file: FileText, group: ChangeGroup, pattern: Pattern, at: number): boolean {
  const end = group.preStart + group.removed
  const beside = Math.max(
    runWeight(file, pattern, group.preStart, at, -1),
    runWeight(file, pattern, end, at + group.removed, 1),
  )
  if (beside >= minAnchor) return true
  const weights = pattern.weights.slice(group.preStart, end)
  return (
    weights.reduce((sum, weight) => sum + weight, 0) >= minAnchor &&
    exactPositions(file, pattern.lines.slice(group.preStart, end)).length === 1
  )
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
  const seam = seamOf(file, group, pattern, alignment)
  const { low, high } = seam
  if (low === undefined && high === undefined)
    return [{ at: 0, doubt: 'nothing around the added lines is left', penalty: 0 }]
  if (low === undefined || high === undefined) return [oneSided(file, group, pattern, seam, alignment.map)]
  if (hasStrayed(file, group, pattern, alignment)) return eitherEnd(low, high, strayed)
  if (low === high) return [sure(low)]
  // What stands between took the place of context that is gone: it is on that side of the added lines.
  if (seam.goneBefore > 0 && seam.goneAfter === 0) return [sure(high)]
  if (seam.goneAfter > 0 && seam.goneBefore === 0) return [sure(low)]
  const swapped = besideSwapped(file, group, pattern, alignment, low, high)
  if (swapped !== undefined) return [sure(swapped)]
  const left = { at: low, evidence: runWeight(file, pattern, group.preStart, low, -1) }
  const right = { at: high, evidence: runWeight(file, pattern, group.preStart, high, 1) }
  // `#else` and the like continue what stands right before them.
  if (/^\s*(#\s*(else|elif|endif)|else\b)/.test(group.added[0] ?? '')) return [sure(low)]
  const decided = seam.goneBefore === 0 ? decide(file, group, pattern.lines, left, right) : undefined
  if (decided !== undefined) return [sure(decided)]
  const [stronger, weaker] = left.evidence >= right.evidence ? [left, right] : [right, left]
  const share = Math.abs(stronger.evidence - weaker.evidence) / (stronger.evidence + weaker.evidence || 1)
  const doubt = 'lines were inserted right where the hunk adds its own: before or behind them is not clear'
  const ends = [
    { at: stronger.at, doubt, penalty: 0 },
    { at: weaker.at, doubt, penalty: share * 0.3 },
  ]
  const sorted = sortedPlace(file.lines, group.added, low, high)
  if (sorted === undefined) return ends
  return [
    { at: sorted, doubt, penalty: 0 },
    ...ends.filter(({ at }) => at !== sorted).map((end) => ({ ...end, penalty: 0.05 })),
  ]
}

const strayed = 'a line that stood beside the added ones stands elsewhere now: the order has changed'

const eitherEnd = (low: number, high: number, doubt: string): readonly Point[] =>
  [...new Set([low, high])].map((at) => ({ at, doubt, penalty: 0 }))

/** The two ends of the gap in the file into which a group of added lines goes. */
interface Seam {
  /** Pattern lines that anchor it, -1 where that side has none; weak lines anchor nothing. */
  readonly before: number
  readonly after: number
  /** Insertion point when the lines stay with what precedes (follows) them. */
  readonly low: number | undefined
  readonly high: number | undefined
  /** Telling context lines between anchor and added lines that are no longer there. */
  readonly goneBefore: number
  readonly goneAfter: number
}

function seamOf(file: FileText, group: ChangeGroup, pattern: Pattern, { map }: Alignment): Seam {
  const { lines } = pattern
  const isAnchor = (at: number): boolean => (map[at] ?? -1) >= 0 && !isWeak(lines[at] ?? '')
  let [before, after] = [group.preStart - 1, group.preStart]
  while (before >= 0 && !isAnchor(before)) before--
  while (after < lines.length && !isAnchor(after)) after++
  if (after === lines.length) after = -1
  const weakBefore = lines.slice(before + 1, group.preStart)
  const weakAfter = lines.slice(group.preStart, after === -1 ? lines.length : after)
  const isGone = (line: string): boolean => !isWeak(line)
  const [goneBefore, goneAfter] = [weakBefore.filter(isGone).length, weakAfter.filter(isGone).length]
  const floor = before === -1 ? -1 : (map[before] ?? 0)
  const ceiling = after === -1 ? file.lines.length : (map[after] ?? 0)
  // Blank and brace lines between the anchor and the added lines belong to them where they stand there.
  let low = floor + 1
  if (before !== -1) for (const line of weakBefore) if (low < ceiling && file.lines[low] === line) low++
  let high = ceiling
  if (after !== -1)
    for (const line of weakAfter.toReversed()) if (high > floor + 1 && file.lines[high - 1] === line) high--
  const found = { before, after, goneBefore, goneAfter }
  if (before !== -1 && after !== -1 && low > high)
    [low, high] = overlap(file, weakBefore, weakAfter, floor, ceiling)
  return { ...found, low: before === -1 ? undefined : low, high: after === -1 ? undefined : high }
}

/** Some of the blank or brace lines were deleted: the rest may belong to either side. */
function overlap(
  file: FileText,
  weakBefore: readonly string[],
  weakAfter: readonly string[],
  floor: number,
  ceiling: number,
): [number, number] {
  const room = ceiling - floor - 1
  const keepBefore = Math.min(weakBefore.length, room)
  const fits = standsAt(file.lines, floor + 1, weakBefore.slice(0, keepBefore)) && weakAfter.length <= room
  const at = floor + 1 + (fits ? keepBefore : 0)
  return [at, at]
}

/**
 * Only one side of the added lines is left. Where the other is gone from the file the place is clear;
 * where it stands elsewhere, the context was torn apart.
 */
function oneSided(
  file: FileText,
  group: ChangeGroup,
  pattern: Pattern,
  seam: Seam,
  map: readonly number[],
): Point {
  const at = seam.low ?? seam.high ?? 0
  const { lines } = pattern
  const [own, step] = seam.low === undefined ? [group.preStart, 0] : [group.preStart - 1, 1]
  const ownLine = map[own] ?? -1
  if (ownLine >= 0 && ownLine + step !== at) {
    return {
      at: ownLine + step,
      doubt: 'lines were inserted between the added ones and their context',
      penalty: 0,
    }
  }
  const lost =
    seam.low === undefined ? lines.slice(0, group.preStart).toReversed() : lines.slice(group.preStart)
  const [nearest, adjacent] = [lost.find((line) => !isWeak(line)), lost[0]]
  const tight = adjacent === undefined || file.lines[seam.low === undefined ? at - 1 : at] === adjacent
  if (!tight)
    return { at, doubt: 'the context on one side of the added lines is gone, others stand there', penalty: 0 }
  if (nearest === undefined || lineInformation(file, nearest) < minTornInformation) return sure(at)
  if (file.positions(nearest).length === 0) return sure(at)
  return { at, doubt: 'the lines ahead of and behind the added ones no longer stand together', penalty: 0 }
}

function lastMatched(map: readonly number[], from: number): number {
  for (let at = from; at >= 0; at--) if ((map[at] ?? -1) >= 0) return at
  return -1
}

function firstMatched(map: readonly number[], from: number): number {
  for (let at = from; at < map.length; at++) if ((map[at] ?? -1) >= 0) return at
  return -1
}
