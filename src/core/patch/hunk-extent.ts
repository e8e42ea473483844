import { withoutEol } from './lines.ts'

/** The range line that opens a hunk. */
export const hunkHead = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)/

/** What stands behind an `@@` line, whatever that line claims. */
export interface HunkExtent {
  /** Lines of the old (context and removed) and the new (context and added) side. */
  readonly old: number
  readonly new: number
  /** Index of the first line that is no part of the hunk; that is where a changed line or context ends it. */
  readonly end: number
  /** Blank lines behind it, which may be context that lost its blank, or text between two patches. */
  readonly blanks: number
  /** What ends it, for people. */
  readonly stop: string
  /** It ends as a hunk ends, so that its lines can be counted; else some line in it is damaged. */
  readonly whole: boolean
}

/**
 * Counts the lines of a hunk from `start`, the line behind its `@@` line, as git's `--recount` does, but for what
 * git takes for lines of the hunk: a mail's signature, and blank lines between the hunk and what follows it.
 * @param counted index of the first line that the counts leave out: from there on a ruler is no removed line
 */
export function hunkExtent(
  lines: readonly string[],
  start: number,
  counted = Number.POSITIVE_INFINITY,
): HunkExtent {
  let [old, fresh, end] = [0, 0, start]
  let [blankOld, blankEnd] = [0, start]
  for (let at = start; ; at++) {
    const line = lines[at]
    const stop = stopAt(lines, at, at >= counted)
    if (line === undefined || stop !== undefined) {
      const kept = stop?.kind === 'hunk'
      const counted = kept ? blankOld : 0
      return {
        old: old + counted,
        new: fresh + counted,
        end: kept ? blankEnd : end,
        blanks: kept ? 0 : blankOld,
        stop: stop?.name ?? 'the end of the patch',
        whole: stop?.kind !== 'damage' || blankEnd > end,
      }
    }
    if (withoutEol(line) === '') {
      blankOld++
      blankEnd = at + 1
      continue
    }
    const isMark = line.startsWith('\\')
    if (!isMark && !line.startsWith('+')) old++
    if (!isMark && !line.startsWith('-')) fresh++
    old += blankOld
    fresh += blankOld
    blankOld = 0
    end = at + 1
    blankEnd = end
  }
}

interface Stop {
  /** `hunk`: another hunk of the file follows; `end`: something that ends every hunk; `damage`: no line of a patch. */
  readonly kind: 'hunk' | 'end' | 'damage'
  readonly name: string
}

/** Why the line is not part of the hunk ahead of it; undefined where it is. */
function stopAt(lines: readonly string[], at: number, isPast: boolean): Stop | undefined {
  const line = lines[at]
  if (line === undefined) return undefined
  const name = `line ${at + 1}`
  if (line.startsWith('@@')) return { kind: 'hunk', name: `the next hunk (${name})` }
  if (isFileHead(lines, at)) return { kind: 'end', name: `the next file (${name})` }
  if (/^(?:diff |From |[A-Z][A-Za-z-]*: )/.test(line)) return { kind: 'end', name: `the next file (${name})` }
  if (isCutHeader(lines, at)) return { kind: 'end', name: `a cut file header (${name})` }
  if (isTail(lines, at, isPast)) return { kind: 'end', name: `what follows the patch (${name})` }
  if (/^[ +\-\\\t]/.test(line) || withoutEol(line) === '') return undefined
  return { kind: 'damage', name: `${name}, which begins with none of " +-\\"` }
}

/** A mail's signature, or the ruler between two mails; removed lines of such a text have others of the hunk behind them. */
const isTail = (lines: readonly string[], at: number, isPast: boolean): boolean =>
  /^(?:-- ?|-{3,}\s*)$/.test(withoutEol(lines[at] ?? '')) &&
  (isPast || !/^(?:[ +\-\\\t]|@@ )/.test(lines[at + 1] ?? ''))

/** A header at the very end of the patch, without its second line or its hunk. */
const isCutHeader = (lines: readonly string[], at: number): boolean =>
  lines[at]?.startsWith('--- ') === true &&
  (at === lines.length - 1 || (at === lines.length - 2 && lines[at + 1]?.startsWith('+++ ') === true))

/** Names as git and diff write them; lines that a hunk removes and adds do not look like both. */
const markedName = /^(?:---|\+\+\+) (?:"?[ab]\/|\/dev\/null\s*$|.*\t)/

/** Whether a file's header begins here, inside of what the counts claim to be a hunk. */
export function isFileHead(lines: readonly string[], at: number): boolean {
  if (lines[at]?.startsWith('--- ') !== true) return false
  const [old = '', fresh = '', hunk = ''] = lines.slice(at, at + 3)
  if (!fresh.startsWith('+++ ') || !hunkHead.test(hunk)) return false
  return (markedName.test(old) && markedName.test(fresh)) || lastPart(old) === lastPart(fresh)
}

const lastPart = (line: string): string => withoutEol(line).slice(4).replace(/\t.*/, '').replace(/^.*\//, '')

/** The `@@` line with the counts of what stands behind it, and where its new side begins; its section stays. */
export function headWithCounts(
  head: string,
  extent: Pick<HunkExtent, 'old' | 'new'>,
  newStart?: number,
): string {
  const match = hunkHead.exec(head)
  if (match === null) return head
  const [oldStart = '', section = ''] = [match[1], match[5]]
  const eol = head.slice(withoutEol(head).length)
  const range = (start: string | number, count: number): string =>
    count === 1 ? `${start}` : `${start},${count}`
  return `@@ -${range(oldStart, extent.old)} +${range(newStart ?? match[3] ?? '', extent.new)} @@${withoutEol(section)}${eol}`
}
