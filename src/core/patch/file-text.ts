import { splitLines } from './lines.ts'
import { spend, type Work } from './work.ts'

/** A file's lines with an index of where each stands. */
export interface FileText {
  readonly lines: readonly string[]
  /** Ascending 0-based positions of a line (its line feed included); empty when it is not there. */
  readonly positions: (line: string) => readonly number[]
  /** Told of steps that searching it takes. @throws build E_PATCH_WORK when it was too many */
  readonly spend: (steps: number) => void
}

const nowhere: readonly number[] = []

/** @param text content of the file as a binary string */
export function fileText(text: string, work: Work): FileText {
  const lines = splitLines(text)
  let index: Map<string, number[]> | undefined
  return {
    lines,
    positions: (line) => {
      index ??= indexLines(lines)
      return index.get(line) ?? nowhere
    },
    spend: (steps) => spend(work, steps),
  }
}

function indexLines(lines: readonly string[]): Map<string, number[]> {
  const index = new Map<string, number[]>()
  for (const [at, line] of lines.entries()) {
    const known = index.get(line)
    if (known === undefined) index.set(line, [at])
    else known.push(at)
  }
  return index
}

/** Every position at which all of `wanted` stands, line by line, ascending. */
export function exactPositions(file: FileText, wanted: readonly string[]): number[] {
  if (wanted.length === 0 || wanted.length > file.lines.length) return []
  let [rarest, rarestAt] = [file.positions(wanted[0] ?? ''), 0]
  for (let at = 1; at < wanted.length && rarest.length > 0; at++) {
    const positions = file.positions(wanted[at] ?? '')
    if (positions.length < rarest.length) [rarest, rarestAt] = [positions, at]
  }
  return rarest
    .map((position) => position - rarestAt)
    .filter((start) => {
      const same = sameFrom(file.lines, start, wanted)
      file.spend(same + 1)
      return same === wanted.length
    })
}

/** Whether `wanted` stands at index `start`. */
export function standsAt(lines: readonly string[], start: number, wanted: readonly string[]): boolean {
  return sameFrom(lines, start, wanted) === wanted.length
}

/** How many lines of `wanted` stand at index `start`; none where it would not end in time. */
function sameFrom(lines: readonly string[], start: number, wanted: readonly string[]): number {
  if (start < 0 || start + wanted.length > lines.length) return -1
  let same = 0
  while (same < wanted.length && lines[start + same] === wanted[same]) same++
  return same
}
