import type { Pattern } from './align.ts'
import type { FileText } from './file-text.ts'
import type { ChangeGroup } from './hunk-sides.ts'
import { isTerminator } from './terminator.ts'
import { lineWords } from './similarity.ts'

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
export function decide(
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
export function runWeight(file: FileText, pattern: Pattern, seam: number, at: number, step: -1 | 1): number {
  let sum = 0
  let [row, line] = step === 1 ? [seam, at] : [seam - 1, at - 1]
  while (pattern.lines[row] !== undefined && pattern.lines[row] === file.lines[line]) {
    sum += pattern.weights[row] ?? 0
    row += step
    line += step
  }
  return sum
}

/** Fewer lines in ascending order may be so by chance. */
const minSorted = 4

/** Where a single added line belongs in a sorted list around the gap; undefined where there is none. */
export function sortedPlace(
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

/** Longer runs of new lines are more than a few siblings, but for entries of the very list. */
const maxSiblings = 12

const isBlank = (line: string): boolean => line.trim() === ''
const isClosing = (line: string): boolean => /^\s*([}\])]|\*\/|#\s*endif|end(if|menu|choice)?\b)/.test(line)

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
  if (high - low > maxSiblings && !areEntries(file.lines.slice(low, high), added)) return undefined
  const isEnd = (lines: readonly string[], at: number): boolean =>
    isBlank(lines[at] ?? '') || isClosing(lines[at] ?? '') || endsTable(lines, at)
  if (!isEnd(pre, group.preStart - 1) && !isOpening(previous) && isEnd(pre, group.preStart)) {
    for (let at = low; at < high; at++) if (isEnd(file.lines, at)) return at
    return high
  }
  if (isOpening(previous) && !isClosing(next) && !isBlank(next)) return low
  return undefined
}

/** A row of zeros is data, unless the block closes behind it. */
const endsTable = (lines: readonly string[], at: number): boolean =>
  isTerminator(lines[at] ?? '') && (lines[at + 1] === undefined || /^\s*[}\])]/.test(lines[at + 1] ?? ''))

/** Whether all lines are entries of one list with the added ones: as deep, and beginning with the same word or sign. */
function areEntries(lines: readonly string[], added: readonly string[]): boolean {
  const start = (line: string): string => /^\s*(?:\w+|\S)?/.exec(line)?.[0] ?? ''
  const own = new Set(added.map(start))
  return lines.every((line) => own.has(start(line)))
}
