import { newVocabulary, similarityTo, type Words } from './similarity.ts'

/** What is looked for: a hunk's old text, each line weighed by how much it proves. */
export interface Pattern {
  readonly lines: readonly string[]
  readonly weights: readonly number[]
  /** Must stand as it is: a line to be removed. */
  readonly mandatory: readonly boolean[]
  /** No line of the file may come between this line and the one before: both are removed. */
  readonly glued: readonly boolean[]
  /** Near enough to a change that an edited version of the line is worth looking for. */
  readonly fuzzy: readonly boolean[]
  /** A change stands right before this line: lines of the file between are likelier elsewhere. */
  readonly seam: readonly boolean[]
}

/** Pattern lines on file lines, in order. */
export interface Alignment {
  readonly score: number
  /** File index of each pattern line, -1 where the file has none. */
  readonly map: readonly number[]
  /** 1 where the line stands as it is, less where words differ, 0 where it is missing. */
  readonly likeness: readonly number[]
}

/** A missing context line costs this share of its weight. */
const missingCost = 0.35
/** The first, and each further, file line between two pattern lines. */
const gapOpenCost = 0.12
const gapStepCost = 0.004
/** Between equal alignments the one wins whose gaps are not where the hunk's changes go. */
const seamCost = 0.02
/** Less alike than this, two lines are different lines. */
const minLikeness = 0.6

const never = -1e9

/**
 * The best alignments of the pattern within `lines[from, to)`, one for each file line at which one can
 * end, best first and at most `limit`. The pattern is aligned as a whole, the file only where it meets.
 */
export function alignWindow(
  lines: readonly string[],
  from: number,
  to: number,
  pattern: Pattern,
  limit: number,
  spend: (steps: number) => void,
): Alignment[] {
  const [rows, columns] = [pattern.lines.length, to - from]
  spend(rows * columns)
  const likeness = likenessTable(lines, from, to, pattern, spend)
  const width = columns + 1
  // Three layers: the last pattern line stands at the last file line, is missing, or a gap is open.
  const matched = new Float64Array((rows + 1) * width).fill(never)
  const missing = new Float64Array((rows + 1) * width).fill(never)
  const gap = new Float64Array((rows + 1) * width).fill(never)
  for (let column = 0; column <= columns; column++) missing[column] = 0
  for (let row = 1; row <= rows; row++) {
    const weight = pattern.weights[row - 1] ?? 0
    const mayMiss = pattern.mandatory[row - 1] !== true
    const mayGap = row < rows && pattern.glued[row] !== true
    const openCost = openCostAt(pattern, row)
    for (let column = 0; column <= columns; column++) {
      const here = row * width + column
      const above = here - width
      if (column > 0) {
        const alike = likeness[(row - 1) * columns + column - 1] ?? 0
        if (alike > 0) {
          const diagonal = above - 1
          const before = Math.max(
            matched[diagonal] ?? never,
            missing[diagonal] ?? never,
            gap[diagonal] ?? never,
          )
          matched[here] = before + weight * gain(alike)
        }
        if (mayGap) {
          const left = here - 1
          gap[here] = Math.max(
            Math.max(matched[left] ?? never, missing[left] ?? never) - openCost,
            (gap[left] ?? never) - gapStepCost,
          )
        }
      }
      if (mayMiss) {
        const before = Math.max(matched[above] ?? never, missing[above] ?? never, gap[above] ?? never)
        missing[here] = before - missingCost * weight
      }
    }
  }
  return traceAll({ rows, columns, from, pattern, likeness, matched, missing, gap }, limit)
}

const openCostAt = (pattern: Pattern, row: number): number =>
  gapOpenCost + (pattern.seam[row] === true ? seamCost : 0)

/** Unlike words count against a line, so that one merely similar is worth little. */
const gain = (alike: number): number => (alike === 1 ? 1 : 1.5 * alike - 0.75)

interface Tables {
  readonly rows: number
  readonly columns: number
  readonly from: number
  readonly pattern: Pattern
  readonly likeness: Float32Array
  readonly matched: Float64Array
  readonly missing: Float64Array
  readonly gap: Float64Array
}

function traceAll(tables: Tables, limit: number): Alignment[] {
  const { rows, columns } = tables
  const ends: { column: number; score: number }[] = []
  for (let column = 0; column <= columns; column++) {
    const at = rows * (columns + 1) + column
    const score = Math.max(tables.matched[at] ?? never, tables.missing[at] ?? never)
    if (score > 0) ends.push({ column, score })
  }
  ends.sort((a, b) => b.score - a.score || a.column - b.column)
  return ends.slice(0, limit).map(({ column, score }) => ({ score, ...trace(tables, column) }))
}

function trace(tables: Tables, end: number): Pick<Alignment, 'map' | 'likeness'> {
  const { rows, columns, from } = tables
  const width = columns + 1
  const map = Array.from<number>({ length: rows }).fill(-1)
  const likeness = Array.from<number>({ length: rows }).fill(0)
  let [row, column] = [rows, end]
  let layer = best(tables, rows * width + end, false)
  while (row > 0) {
    if (layer === 'matched') {
      map[row - 1] = from + column - 1
      likeness[row - 1] = tables.likeness[(row - 1) * columns + column - 1] ?? 0
      row--
      column--
      layer = best(tables, row * width + column, true)
    } else if (layer === 'missing') {
      row--
      layer = best(tables, row * width + column, true)
    } else {
      column--
      const at = row * width + column
      const stay = (tables.gap[at] ?? never) - gapStepCost
      const open =
        Math.max(tables.matched[at] ?? never, tables.missing[at] ?? never) - openCostAt(tables.pattern, row)
      layer = stay > open ? 'gap' : best(tables, at, false)
    }
  }
  return { map, likeness }
}

function best(tables: Tables, at: number, withGap: boolean): 'matched' | 'missing' | 'gap' {
  const [matched, missing] = [tables.matched[at] ?? never, tables.missing[at] ?? never]
  const gap = withGap ? (tables.gap[at] ?? never) : never
  if (matched >= missing && matched >= gap) return 'matched'
  return gap > missing ? 'gap' : 'missing'
}

function likenessTable(
  lines: readonly string[],
  from: number,
  to: number,
  pattern: Pattern,
  spend: (steps: number) => void,
): Float32Array {
  const columns = to - from
  const table = new Float32Array(pattern.lines.length * columns)
  const vocabulary = newVocabulary()
  let found: readonly Words[] | undefined
  for (const [row, wanted] of pattern.lines.entries()) {
    let exact = false
    for (let column = 0; column < columns; column++) {
      if (lines[from + column] !== wanted) continue
      table[row * columns + column] = 1
      exact = true
    }
    // Only a line that is nowhere in the window can have been edited.
    if (exact || pattern.mandatory[row] === true || pattern.fuzzy[row] !== true) continue
    found ??= lines.slice(from, to).map(vocabulary.wordsOf)
    const words = vocabulary.wordsOf(wanted)
    if (words.numbers.length === 0) continue
    const likenessOf = similarityTo(words, vocabulary, minLikeness, spend)
    for (const [column, other] of found.entries()) {
      const ratio = other.numbers.length / words.numbers.length
      if (ratio < 0.4 || ratio > 2.5) continue
      const alike = likenessOf(other)
      if (alike >= minLikeness) table[row * columns + column] = Math.min(alike, 0.99)
    }
  }
  return table
}
