import type { Alignment, Pattern } from './align.ts'
import { exactPositions, type FileText, standsAt } from './file-text.ts'
import type { ChangeGroup, HunkSides } from './hunk-sides.ts'
import type { Edit } from './placement.ts'
import { lineWords } from './similarity.ts'
import { lineInformation } from './weigh.ts'

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
      points.map(({ at, doubt, penalty }) => ({
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
  if (low === high) return [sure(low)]
  // What stands between took the place of context that is gone: it is on that side of the added lines.
  if (seam.goneBefore > 0 && seam.goneAfter === 0) return [sure(high)]
  if (seam.goneAfter > 0 && seam.goneBefore === 0) return [sure(low)]
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

/** Fewer lines in ascending order may be so by chance. */
const minSorted = 4

/** Where a single added line belongs in a sorted list around the gap; undefined where there is none. */
function sortedPlace(
  lines: readonly string[],
  added: readonly string[],
  low: number,
  high: number,
): number | undefined {
  const [line = '', ...more] = added
  const prefix = line.slice(0, 1 + line.search(/[(_ ]/))
  if (more.length > 0 || prefix === '') return undefined
  let [start, end] = [low, high]
  while (start > 0 && lines[start - 1]?.startsWith(prefix) === true) start--
  while (lines[end]?.startsWith(prefix) === true) end++
  const list = lines.slice(start, end)
  if (list.length < minSorted || !list.every((one) => one.startsWith(prefix))) return undefined
  // A long list may have a few entries out of order.
  const disorder = list.filter((one, at) => (list[at - 1] ?? '') > one).length
  if (disorder * 20 > list.length) return undefined
  const at = start + list.filter((one) => one < line).length
  return at >= low && at <= high ? at : undefined
}

/** One end of the gap, and how much context stands unbroken from there outwards. */
interface GapEnd {
  readonly at: number
  readonly evidence: number
}

/** One side's context must prove this many times as much as the other's to outweigh it. */
const clearlyMore = 3
/** Blocks put between two others in a longer row than this may as well belong behind the added one. */
const maxNearLines = 10

/** Which end of the gap the added lines belong to, where that can be told. */
function decide(
  file: FileText,
  group: ChangeGroup,
  pre: readonly string[],
  left: GapEnd,
  right: GapEnd,
): number | undefined {
  const [previous, next] = [pre[group.preStart - 1], pre[group.preStart]]
  // An end is tight when both neighbours of the added lines stand there side by side.
  const [tightLeft, tightRight] = [left.at, right.at].map(
    (at) => file.lines[at - 1] === previous && file.lines[at] === next,
  )
  if (tightLeft === tightRight) {
    const nextStands = tightLeft !== true && file.lines[right.at] === next
    if (!nextStands) return undefined
    return blockEdge(file, group, pre, left.at, right.at) ?? groupEnd(file, group, pre, left.at, right.at)
  }
  if (tightLeft === true) {
    if (!isBlank(group.added[0] ?? '') || left.evidence > clearlyMore * right.evidence) return left.at
  } else {
    const inserted = file.lines.slice(left.at, right.at)
    if (inserted.length <= maxNearLines || !hasKind(inserted, group.added)) return right.at
    if (right.evidence > clearlyMore * left.evidence) return right.at
  }
  return undefined
}

/** Whether some of the lines begin with the same word as the added ones: siblings of theirs. */
function hasKind(lines: readonly string[], added: readonly string[]): boolean {
  const first = added.find((line) => !isBlank(line)) ?? ''
  const indent = first.length - first.trimStart().length
  const [word] = lineWords(first)
  return lines.some((line) => line.length - line.trimStart().length === indent && lineWords(line)[0] === word)
}

/** This many more first characters in common make two lines of a list one group. */
const groupPrefix = 2

/**
 * A line that was the last of its kind in a list (`CONFIG_GPIO_BCM…`) stays the last of it. One kind: the
 * lines around are no closer to each other than to the added one.
 */
function groupEnd(
  file: FileText,
  group: ChangeGroup,
  pre: readonly string[],
  low: number,
  high: number,
): number | undefined {
  const [added = '', ...more] = group.added
  if (more.length > 0 || high - low > maxSiblings) return undefined
  const previous = pre[group.preStart - 1] ?? ''
  const outside = commonPrefix(added, pre[group.preStart] ?? '') + groupPrefix
  const inserted = file.lines.slice(low, high)
  const isSibling = (line: string): boolean => commonPrefix(added, line) >= outside
  const isCloser = (line: string): boolean =>
    commonPrefix(previous, line) >= commonPrefix(added, line) + groupPrefix
  return isSibling(previous) && inserted.every((line) => isSibling(line) && !isCloser(line))
    ? high
    : undefined
}

function commonPrefix(a: string, b: string): number {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return at
}

/** Weight of the context that stands unbroken from an insertion point outwards, its nearest lines most. */
function runWeight(file: FileText, pattern: Pattern, seam: number, at: number, step: -1 | 1): number {
  let sum = 0
  let [row, line] = step === 1 ? [seam, at] : [seam - 1, at - 1]
  while (pattern.lines[row] !== undefined && pattern.lines[row] === file.lines[line]) {
    sum += pattern.weights[row] ?? 0
    row += step
    line += step
  }
  return sum
}

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

const isWeak = (line: string): boolean => !/[0-9A-Za-z]/.test(line)

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

/** Lines more common than this stand elsewhere anyway. */
const minTornInformation = 0.2

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
