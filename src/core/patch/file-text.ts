import { splitLines } from './lines.ts'

/** A file's lines with an index of where each stands. */
export interface FileText {
  readonly lines: readonly string[]
  /** Ascending 0-based positions of a line (its line feed included); empty when it is not there. */
  readonly positions: (line: string) => readonly number[]
}

const nowhere: readonly number[] = []

/** @param text content of the file as a binary string */
export function fileText(text: string): FileText {
  const lines = splitLines(text)
  let index: Map<string, number[]> | undefined
  return {
    lines,
    positions: (line) => {
      index ??= indexLines(lines)
      return index.get(line) ?? nowhere
    },
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
  return rarest.map((position) => position - rarestAt).filter((start) => standsAt(file.lines, start, wanted))
}

/** Whether `wanted` stands at index `start`. */
export function standsAt(lines: readonly string[], start: number, wanted: readonly string[]): boolean {
  if (start < 0 || start + wanted.length > lines.length) return false
  for (let at = 0; at < wanted.length; at++) if (lines[start + at] !== wanted[at]) return false
  return true
}
