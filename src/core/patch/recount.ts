import { headWithCounts, type HunkExtent, hunkExtent, hunkHead } from './hunk-extent.ts'
import { splitLines } from './lines.ts'
import { isPlainHeader } from './parse-problems.ts'

/**
 * A patch (binary string) whose `@@` lines count what stands behind them, as git's `--recount` counts; the new sides
 * of later hunks of the file begin where they then do. Nothing else changes, and what counts right stays as it is.
 */
export function recountPatch(text: string): string {
  const lines = splitLines(text)
  const mended: string[] = []
  let inFile = false
  let [delta, isMended] = [0, false]
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? ''
    if (isPlainHeader(lines, at)) {
      mended.push(line, lines[at + 1] ?? '')
      ;[inFile, delta, isMended] = [true, 0, false]
      at += 2
      continue
    }
    const match = inFile ? hunkHead.exec(line) : null
    if (match === null) {
      inFile = false
      mended.push(line)
      at++
      continue
    }
    const extent = fittingExtent(lines, at + 1, Number(match[2] ?? 1), Number(match[4] ?? 1))
    const isRight = extent.old === Number(match[2] ?? 1) && extent.new === Number(match[4] ?? 1)
    isMended ||= !isRight
    const ahead = Number(match[1]) - (Number(match[2] ?? 1) === 0 ? 0 : 1) + delta
    mended.push(isMended ? headWithCounts(line, extent, ahead + (extent.new === 0 ? 0 : 1)) : line)
    delta += extent.new - extent.old
    for (const own of lines.slice(at + 1, extent.end)) mended.push(own)
    at = extent.end
  }
  return mended.join('')
}

/** Editors and mailers chop blank lines off the end of a patch; as many as a usual context. */
const maxChopped = 3

/** Blank context at the end of a hunk, of which the blank or all was chopped off, is the hunk's where the counts want it. */
function fittingExtent(
  lines: readonly string[],
  start: number,
  old: number,
  fresh: number,
): Pick<HunkExtent, 'old' | 'new' | 'end'> {
  const extent = hunkExtent(lines, start)
  const isLast = extent.end + extent.blanks >= lines.length
  const more = old - extent.old
  const isBlank = more > 0 && more <= (isLast ? maxChopped : extent.blanks) && fresh - extent.new === more
  return isBlank ? { old, new: fresh, end: extent.end + Math.min(more, extent.blanks) } : extent
}
