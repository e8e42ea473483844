import { exactPositions, type FileText } from './file-text.ts'
import { editsAt, hunkSides } from './hunk-sides.ts'
import type { Hunk } from './model.ts'
import type { HunkPlacement, PlacedHunk } from './placement.ts'

export interface PlaceOptions {
  /** Take the best place even where it is not clearly the right one, and mark it low confidence. */
  readonly bestEffort: boolean
}

/** Finds the place of each hunk of one file; hunks keep their order and never overlap. */
export function placeHunks(file: FileText, hunks: readonly Hunk[], _options: PlaceOptions): PlacedHunk[] {
  const placed: PlacedHunk[] = []
  let drift = 0
  let floor = 0
  for (const hunk of hunks) {
    const one = placeExactly(file, hunk, drift, floor)
    placed.push(one)
    if (one.edits.length > 0) drift = one.placement.offset
    floor = Math.max(floor, lastChanged(one))
  }
  return placed
}

function lastChanged(placed: PlacedHunk): number {
  const last = placed.edits.at(-1)
  return last === undefined ? 0 : last.at + last.removed
}

function placeExactly(file: FileText, hunk: Hunk, drift: number, floor: number): PlacedHunk {
  const sides = hunkSides(hunk)
  const named = hunk.old.count === 0 ? hunk.old.start : hunk.old.start - 1
  if (sides.pre.length === 0) {
    if (file.lines.length === 0 || named <= file.lines.length) {
      const at = Math.min(named, file.lines.length)
      return found(sides, at, named, 'exact', 'a hunk without context at the line it names')
    }
    return conflict(named, [], 'a hunk without context names a line behind the end of the file')
  }
  const starts = exactPositions(file, sides.pre).filter(
    (start) => start + (sides.groups[0]?.preStart ?? 0) >= floor,
  )
  const applied = exactPositions(file, sides.post).filter((start) => start >= 0)
  const expected = named + drift
  const nearest = [...starts].sort((a, b) => Math.abs(a - expected) - Math.abs(b - expected))
  const [best, second] = nearest
  if (best === undefined || applied.includes(best)) {
    const at = applied[0]
    if (at !== undefined) return alreadyApplied(sides.post.length, at, named)
    return conflict(named, [], 'the old text of the hunk is not in the file')
  }
  if (best === named) return found(sides, best, named, 'exact', 'the old text stands at the line named')
  if (second !== undefined && Math.abs(second - expected) < 2 * Math.abs(best - expected) + 1) {
    return conflict(named, nearest, 'the old text stands in several places')
  }
  return found(sides, best, named, 'offset', 'the old text stands at another line')
}

function found(
  sides: ReturnType<typeof hunkSides>,
  start: number,
  named: number,
  status: 'exact' | 'offset',
  why: string,
): PlacedHunk {
  const placement = {
    ...verdict(status, start, named, why),
    candidates: [{ line: start + 1, score: 1, why }],
  }
  return { placement, start, end: start + sides.pre.length, edits: editsAt(sides, start) }
}

function alreadyApplied(length: number, start: number, named: number): PlacedHunk {
  const why = 'the whole result of the hunk stands here'
  return { placement: verdict('already-applied', start, named, why), start, end: start + length, edits: [] }
}

function conflict(named: number, starts: readonly number[], why: string): PlacedHunk {
  const candidates = starts.map((start) => ({ line: start + 1, score: 1, why: 'the old text stands here' }))
  return {
    placement: { ...verdict('conflict', -1, named, why), offset: 0, candidates },
    start: 0,
    end: 0,
    edits: [],
  }
}

function verdict(status: HunkPlacement['status'], start: number, named: number, why: string): HunkPlacement {
  return { status, line: start + 1, offset: start - named, fuzz: 0, why, confidence: 'high', candidates: [] }
}
