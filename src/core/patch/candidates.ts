import { type Alignment, alignWindow, type Pattern } from './align.ts'
import { exactPositions, type FileText } from './file-text.ts'
import { editsAt, type HunkSides } from './hunk-sides.ts'
import { insertionPoints } from './insertion.ts'
import type { Edit } from './placement.ts'
import { isAmongStrangers } from './stranger.ts'
import { patternOf } from './weigh.ts'

/** One way to place a hunk. */
export interface Candidate {
  readonly kind: 'exact' | 'fuzz' | 'moved' | 'already-applied'
  /** File lines that the hunk's old (already applied: new) text covers, half-open. */
  readonly start: number
  readonly end: number
  /** Where the hunk's first old line would stand if all its lines were there. */
  readonly origin: number
  readonly edits: readonly Edit[]
  /** 1: the whole text stands here as it is. */
  readonly score: number
  /** Context lines that differ or are missing. */
  readonly fuzz: number
  /** Set where this alignment leaves open where added lines go: what speaks for this choice. */
  readonly doubt: string | undefined
  /** Each change has something telling right beside it. */
  readonly anchored: boolean
  readonly why: string
}

/** Text that stands in more places than this is not told apart by any but the nearest. */
const maxExact = 100

/** The places (the nearest to `named`) at which the hunk's old text, or its result, stands line by line. */
export function exactCandidates(file: FileText, sides: HunkSides, named: number): Candidate[] {
  const nearest = (wanted: readonly string[]): number[] =>
    exactPositions(file, wanted)
      .sort((a, b) => Math.abs(a - named) - Math.abs(b - named))
      .slice(0, maxExact)
  const applied = new Set(sides.post.length === 0 ? [] : nearest(sides.post))
  const found: Candidate[] = []
  for (const start of nearest(sides.pre)) {
    // A result that begins with its own old text is there already, not waiting to be added once more.
    if (applied.has(start) && sides.post.length > sides.pre.length) continue
    const candidate = oldTextAt(sides, start)
    const isStranger = start !== named && isAmongStrangers(file, sides, candidate.edits[0]?.at ?? start)
    const doubt = isStranger ? amongStrangers : undefined
    found.push({ ...candidate, doubt })
  }
  for (const start of applied) {
    const candidate = resultAt(sides, start)
    if (found.some((one) => one.start < candidate.end && one.end > start)) continue
    found.push(candidate)
  }
  return found
}

const amongStrangers =
  'the list has changed, and the entry would stand between two of other names, away from those like it'

const exact = { score: 1, fuzz: 0, doubt: undefined, anchored: true } as const

/** The hunk where its whole old text stands. */
export const oldTextAt = (sides: HunkSides, start: number): Candidate => ({
  ...exact,
  kind: 'exact',
  start,
  end: start + sides.pre.length,
  origin: start,
  edits: editsAt(sides, start),
  why: 'the old text stands here as it is',
})

/** The hunk where its whole result stands. */
export const resultAt = (sides: HunkSides, start: number): Candidate => ({
  ...exact,
  kind: 'already-applied',
  start,
  end: start + sides.post.length,
  origin: start,
  edits: [],
  why: 'the whole result of the hunk stands here',
})

/** An anchor that stands in more places than this says nothing about which of them is meant. */
const maxAnchorPositions = 40
const windowSlack = 64
const maxWindows = 12
const bucketLines = 32
/** Cells of one alignment table; a hunk too long for that must stand as it is. */
const maxCells = 1_000_000

/** Places at which the old text stands nearly: context lines changed, inserted or deleted. */
export function driftedCandidates(file: FileText, sides: HunkSides): Candidate[] {
  const rows = sides.pre.length
  if (rows * (rows + bucketLines + 2 * windowSlack) > maxCells) return []
  const pattern = patternOf(file, sides)
  if (sides.pre.some((line, at) => pattern.mandatory[at] === true && file.positions(line).length === 0))
    return []
  const total = pattern.weights.reduce((sum, weight) => sum + weight, 0)
  const found = new Map<string, Candidate>()
  for (const [from, to] of windows(file, pattern)) {
    for (const alignment of alignWindow(file.lines, from, to, pattern, 8, file.spend)) {
      for (const candidate of candidatesOf(file, sides, pattern, alignment, total)) {
        const key = candidate.edits.map((edit) => edit.at).join()
        const known = found.get(key)
        if (known === undefined || known.score < candidate.score) found.set(key, candidate)
      }
    }
  }
  return [...found.values()].sort((a, b) => b.score - a.score || a.start - b.start)
}

/** Stretches of the file around which the pattern's telling lines gather, best first. */
function windows(file: FileText, pattern: Pattern): readonly (readonly [number, number])[] {
  const votes = new Map<number, number>()
  for (const [at, line] of pattern.lines.entries()) {
    const positions = file.positions(line)
    if (positions.length > maxAnchorPositions) continue
    for (const position of positions) {
      const bucket = Math.floor((position - at) / bucketLines)
      votes.set(bucket, (votes.get(bucket) ?? 0) + (pattern.weights[at] ?? 0))
    }
  }
  const best = [...votes].sort(([a, x], [b, y]) => y - x || a - b).slice(0, maxWindows)
  return best.map(([bucket]) => [
    Math.max(0, bucket * bucketLines - windowSlack),
    Math.min(file.lines.length, (bucket + 1) * bucketLines + pattern.lines.length + windowSlack),
  ])
}

function candidatesOf(
  file: FileText,
  sides: HunkSides,
  pattern: Pattern,
  alignment: Alignment,
  total: number,
): Candidate[] {
  const matched = alignment.map.filter((at) => at >= 0)
  const [first, last] = [matched[0], matched.at(-1)]
  if (first === undefined || last === undefined) return []
  const fuzz = alignment.likeness.filter((alike) => alike < 1).length
  const origin = first - alignment.map.indexOf(first)
  const score = alignment.score / total
  const isRigid = alignment.map.every((line, at) => line === -1 || line - at === origin)
  const common = {
    kind: isRigid ? 'fuzz' : 'moved',
    start: first,
    end: last + 1,
    origin,
    score,
    fuzz,
  } as const
  const changed = `${fuzz} context ${fuzz === 1 ? 'line' : 'lines'} changed`
  const inserted = isRigid ? [] : ['lines were inserted into or deleted from its context']
  const why = [...(fuzz > 0 ? [changed] : []), ...inserted].join(', ')
  return insertionPoints(file, sides, pattern, alignment).map(({ edits, doubt, penalty, anchored }) => ({
    ...common,
    score: score - penalty,
    edits,
    doubt,
    anchored,
    why,
  }))
}
