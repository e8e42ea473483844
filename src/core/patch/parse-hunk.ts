import { headWithCounts, hunkExtent, hunkHead, isFileHead } from './hunk-extent.ts'
import { shownLine, withoutEol } from './lines.ts'
import type { Hunk, HunkLine, LineKind, PatchProblem } from './model.ts'

/** Larger counts or lines are taken for damage or an attack, not for a patch. */
const maxCount = 10_000_000
const maxLineLength = 1_000_000
/** Editors and mailers chop blank lines off the end of a patch; as many as a usual context. */
const maxChopped = 3

const kinds: Readonly<Record<string, LineKind>> = { ' ': 'context', '-': 'removed', '+': 'added' }

type HunkRead = { readonly hunk: Hunk; readonly next: number } | { readonly problem: PatchProblem }

/** Reads the hunk whose `@@` line is `lines[at]`. */
export function parseHunk(lines: readonly string[], at: number): HunkRead {
  const head = lines[at] ?? ''
  const match = hunkHead.exec(withoutEol(head))
  if (match === null) return problemAt(at, 'not a hunk header')
  const old = { start: Number(match[1]), count: Number(match[2] ?? 1) }
  const fresh = { start: Number(match[3]), count: Number(match[4] ?? 1) }
  const largest = Math.max(old.start, old.count, fresh.start, fresh.count)
  if (largest > maxCount) return problemAt(at, `a hunk that claims line or count ${largest}`)
  const body = readBody(lines, at + 1, old.count, fresh.count)
  const counts = miscounted(lines, at, { old: old.count, new: fresh.count }, body)
  if (counts !== undefined) return problemAt(at, counts)
  if ('problem' in body) return body
  const hunk = { head, old, new: fresh, section: (match[5] ?? '').trim(), lines: body.lines }
  return { hunk, next: body.next }
}

type BodyRead = { readonly lines: HunkLine[]; readonly next: number } | { readonly problem: PatchProblem }

function readBody(lines: readonly string[], start: number, oldCount: number, newCount: number): BodyRead {
  const read: HunkLine[] = []
  let [oldLeft, newLeft, at] = [oldCount, newCount, start]
  while (oldLeft > 0 || newLeft > 0) {
    const raw = lines[at]
    if (raw !== undefined && isFileHead(lines, at)) return problemAt(at, 'a file header inside of a hunk')
    if (raw === undefined) {
      const isCut = oldLeft !== newLeft || oldLeft > maxChopped || endsInChange(lines)
      if (isCut) return problemAt(at, 'the patch ends inside a hunk; it was cut off, so get it anew')
      for (; oldLeft > 0; oldLeft--) read.push({ kind: 'context', text: '\n', raw: '' })
      break
    }
    const line = readLine(raw)
    if (line === undefined) return problemAt(at, 'a line in a hunk that begins with none of " +-\\"')
    if (raw.length > maxLineLength) return problemAt(at, `a line of ${raw.length} bytes`)
    if (raw.includes('\0')) return problemAt(at, 'a NUL byte in a text hunk')
    if (line.kind !== 'added') oldLeft--
    if (line.kind !== 'removed') newLeft--
    if (oldLeft < 0 || newLeft < 0) return problemAt(at, 'the counts of the hunk do not fit its lines')
    at++
    const mark = lines[at]
    if (mark?.startsWith('\\') === true) {
      read.push({ kind: line.kind, text: withoutLf(line.text), raw: raw + mark })
      at++
    } else read.push(line)
  }
  const next = skipUncountedContext(lines, at)
  const last = read.at(-1)
  if (last !== undefined && next > at) {
    read[read.length - 1] = { ...last, raw: last.raw + lines.slice(at, next).join('') }
  }
  return { lines: read, next }
}

/**
 * Where the counts are not those of the lines that follow, as after an edit by hand: what they claim, what is
 * there, and the `@@` line as it should read. Context that the counts leave out is no such case: it changes nothing.
 */
function miscounted(
  lines: readonly string[],
  at: number,
  claimed: { readonly old: number; readonly new: number },
  body: BodyRead,
): string | undefined {
  const there = hunkExtent(lines, at + 1, 'problem' in body ? undefined : body.next)
  if (!('problem' in body)) {
    const isLeftOut = lines
      .slice(body.next, Math.max(there.end, body.next))
      .some((line) => /^[+-]/.test(line))
    const isSwallowed = there.end < body.next && isSignature(lines, there.end)
    if (!isLeftOut && !isSwallowed) return undefined
  } else if (!there.whole || (there.old === claimed.old && there.new === claimed.new)) return undefined
  const head = shownLine(lines[at] ?? '')
  const mended = shownLine(headWithCounts(lines[at] ?? '', there))
  const isCut = lines[there.end] === undefined && (claimed.old > there.old || claimed.new > there.new)
  const cut = isCut
    ? '; the patch ends inside a hunk: it was cut off, or edited by hand'
    : 'problem' in body
      ? ''
      : '; what the counts leave out would be lost'
  return (
    `the hunk "${head}" claims ${claimed.old} old and ${claimed.new} new lines, but ${there.old} and ${there.new} stand` +
    ` ahead of ${there.stop}${cut}; where no line is missing it should read "${mended}"` +
    ' (fwbuild patch edit --recount writes it)'
  )
}

/** git's version under the rule: no removed line. */
const isSignature = (lines: readonly string[], at: number): boolean =>
  /^-- ?$/.test(withoutEol(lines[at] ?? '')) && /^\d+\.\d/.test(lines[at + 1] ?? '')

/** A changed line that the patch ends in may have lost any part of itself, not only blank lines behind it. */
function endsInChange(lines: readonly string[]): boolean {
  const last = lines.at(-1) ?? ''
  return /^[+-]/.test(last) && !last.endsWith('\n')
}

/**
 * Context lines that the counts leave out change nothing (every patch program passes over them); they
 * are kept as part of the last line's raw text.
 */
function skipUncountedContext(lines: readonly string[], at: number): number {
  let next = at
  while (lines[next]?.startsWith(' ') === true) next++
  return next
}

const withoutLf = (text: string): string => (text.endsWith('\n') ? text.slice(0, -1) : text)

function readLine(raw: string): HunkLine | undefined {
  // Context lines that lost their space: empty ones often, ones that begin with a tab at times. GNU patch takes both.
  if (/^[\t\r\n]/.test(raw)) return { kind: 'context', text: raw, raw }
  const kind = kinds[raw.charAt(0)]
  if (kind === undefined) return undefined
  // A patch cut off before its last line feed still means a whole line.
  const text = raw.endsWith('\n') ? raw.slice(1) : `${raw.slice(1)}\n`
  return { kind, text, raw }
}

function problemAt(at: number, reason: string): { readonly problem: PatchProblem } {
  return { problem: { line: at + 1, reason } }
}
