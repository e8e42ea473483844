import type { FilePatch, Hunk, HunkLine, LineKind, PatchDocument, Range } from './model.ts'

/** The patch as a binary string; the same bytes that were parsed where nothing was changed. */
export function printPatch(document: PatchDocument): string {
  return document.files.map(printFile).join('') + document.trailer
}

function printFile(file: FilePatch): string {
  return file.preamble + file.header + (file.binary ?? '') + file.hunks.map(printHunk).join('')
}

export function printHunk(hunk: Hunk): string {
  let text = hunk.head
  for (const line of hunk.lines) text += line.raw
  return text
}

const markers: Readonly<Record<LineKind, string>> = { context: ' ', removed: '-', added: '+' }

/** A hunk line made anew; `text` with its line feed, or without where the file ends without one. */
export function hunkLine(kind: LineKind, text: string): HunkLine {
  const end = text.endsWith('\n') ? '' : '\n\\ No newline at end of file\n'
  return { kind, text, raw: `${markers[kind]}${text}${end}` }
}

/** The hunk with other lines or starts: counts and the `@@` line follow, its section text stays. */
export function rebuildHunk(
  hunk: Hunk,
  lines: readonly HunkLine[],
  oldStart: number,
  newStart: number,
): Hunk {
  const old = { start: oldStart, count: lines.filter((line) => line.kind !== 'added').length }
  const fresh = { start: newStart, count: lines.filter((line) => line.kind !== 'removed').length }
  if (sameRange(old, hunk.old) && sameRange(fresh, hunk.new)) return { ...hunk, lines }
  const tail = hunk.head.slice(hunk.head.indexOf('@@', 2))
  return { ...hunk, head: `@@ -${range(old)} +${range(fresh)} ${tail}`, old, new: fresh, lines }
}

const sameRange = (a: Range, b: Range): boolean => a.start === b.start && a.count === b.count

function range({ start, count }: Range): string {
  return count === 1 ? String(start) : `${start},${count}`
}
