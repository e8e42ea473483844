import type { Alignment, Pattern } from './align.ts'
import type { FileText } from './file-text.ts'
import type { ChangeGroup } from './hunk-sides.ts'
import { isWeak, lineInformation, minTornInformation } from './weigh.ts'

/**
 * Whether the line right before or behind the added ones left this place, and the file's only such line is
 * somewhere else: a list in another order says nothing about where in it the added lines belong.
 */
export function hasStrayed(
  file: FileText,
  group: ChangeGroup,
  pattern: Pattern,
  { map }: Alignment,
): boolean {
  return [group.preStart - 1, group.preStart].some((row) => {
    const line = pattern.lines[row]
    return (
      line !== undefined &&
      map[row] === -1 &&
      !isWeak(line) &&
      file.positions(line).length === 1 &&
      lineInformation(file, line) >= minTornInformation
    )
  })
}

/** A longer gap is a list in another order rather than two neighbours that changed places. */
const maxSwapped = 8

/**
 * Where lines between the two ends of the gap are context that changed places: they stay on that side of the
 * added lines on which the patch has them. Undefined where none is, or some of both sides.
 */
export function besideSwapped(
  file: FileText,
  group: ChangeGroup,
  pattern: Pattern,
  { map }: Alignment,
  low: number,
  high: number,
): number | undefined {
  if (high - low > maxSwapped) return undefined
  const gap = new Set(file.lines.slice(low, high).filter((line) => !isWeak(line)))
  const isSwapped = (line: string, row: number): boolean => map[row] === -1 && gap.has(line)
  const rows = pattern.lines.flatMap((line, row) => (isSwapped(line, row) ? [row] : []))
  const ahead = rows.some((row) => row < group.preStart)
  const behind = rows.some((row) => row >= group.preStart)
  if (ahead === behind) return undefined
  return ahead ? high : low
}
