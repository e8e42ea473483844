import { exactPositions, type FileText } from './file-text.ts'
import { hunkSides } from './hunk-sides.ts'
import type { Hunk } from './model.ts'
import type { HunkPlacement, PlacedHunk } from './placement.ts'
import { lineKey } from './white-space.ts'

/**
 * A hunk's verdict in the light of lines that say the same with other white space. Text that is there but for that is
 * not simply missing; and where no less of the context differs in white space than stands as it is, its lines were
 * damaged, so that the added ones can not be trusted either.
 */
export function whiteSpaceJudged(
  placed: PlacedHunk,
  file: FileText,
  hunk: Hunk | undefined,
  bestEffort: boolean,
): PlacedHunk {
  const { placement } = placed
  if (hunk === undefined) return placed
  const { pre } = hunkSides(hunk)
  if (placement.status === 'conflict') {
    const why = besideWhiteSpace(file, pre)
    return why === undefined ? placed : { ...placed, placement: { ...placement, why } }
  }
  const isDrifted = placement.status === 'fuzz' || placement.status === 'moved'
  if (!isDrifted || !isDamaged(pre, file.lines.slice(placed.start, placed.end))) return placed
  const why = besideWhiteSpace(file, pre) ?? damaged
  if (bestEffort) {
    const doubted = `${placement.why}; low confidence: ${why}`
    return { ...placed, placement: { ...placement, confidence: 'low', why: doubted } }
  }
  const refused: HunkPlacement = {
    ...placement,
    status: 'conflict',
    line: 0,
    offset: 0,
    fuzz: 0,
    why,
  }
  return { placement: refused, start: 0, end: 0, edits: [] }
}

const damaged =
  'the context differs in white space alone: the patch was damaged on its way, or the file was indented anew'

function isDamaged(pre: readonly string[], there: readonly string[]): boolean {
  const keys = new Set(there.map(lineKey))
  const lines = new Set(there)
  const telling = pre.filter((line) => /[0-9A-Za-z]/.test(line))
  const standing = telling.filter((line) => lines.has(line)).length
  const respaced = telling.filter((line) => !lines.has(line) && keys.has(lineKey(line))).length
  return respaced > 0 && respaced >= standing
}

/**
 * Where the old text of a hunk stands but for line ends or other white space, for people.
 * @returns undefined where it stands nowhere, or as it is
 */
function besideWhiteSpace(file: FileText, old: readonly string[]): string | undefined {
  const { lines } = file
  if (!old.some((line) => lineKey(line) !== '') || exactPositions(file, old).length > 0) return undefined
  const ends = placeOf(lines, old, (line) => line.replace(/\r?\n?$/, ''))
  if (ends !== undefined) {
    const there = endsOf(lines.slice(ends, ends + old.length))
    return `the old text of the hunk stands at line ${ends + 1} but for its line ends: ${there} in the file, ${endsOf(old)} in the patch`
  }
  const blanks = placeOf(lines, old, lineKey)
  return blanks === undefined
    ? undefined
    : `the old text of the hunk stands at line ${blanks + 1} but for its white space: the patch was damaged on its way, or the file was indented anew`
}

function placeOf(
  lines: readonly string[],
  old: readonly string[],
  keyOf: (line: string) => string,
): number | undefined {
  const wanted = old.map(keyOf)
  const keys = lines.map(keyOf)
  const first = wanted.findIndex((key) => key !== '')
  for (
    let at = keys.indexOf(wanted[first] ?? '');
    at !== -1;
    at = keys.indexOf(wanted[first] ?? '', at + 1)
  ) {
    const start = at - first
    if (start >= 0 && wanted.every((key, index) => keys[start + index] === key)) return start
  }
  return undefined
}

function endsOf(lines: readonly string[]): string {
  const returns = lines.filter((line) => /\r\n?$/.test(line)).length
  return returns === 0 ? 'LF' : returns === lines.length ? 'CR LF' : 'LF and CR LF mixed'
}
