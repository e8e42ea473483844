import { diffArrays } from 'diff'
import type { Steps } from '../steps.ts'
import { exactPositions, fileText, type FileText } from './file-text.ts'
import type { Hunk } from './model.ts'
import { placeHunks } from './place.ts'
import type { Edit, PlacedHunk } from './placement.ts'
import type { Work } from './work.ts'

/** Added and removed lines between the two files beyond which the comparison, quadratic in them, takes too long. */
const maxChangedLines = 4000

/**
 * Places hunks by way of the very file that the patch was made for: where the lines around a change are the
 * same in the file now, that is the place, whatever became of the rest.
 * @param base the file that the blob id of the patch's `index` line names (binary string)
 * @param placed what was found without it; its refused hunks are tried again
 * @returns the same, with the hunks that this placed
 */
export function* placeByBase(
  file: FileText,
  base: string,
  hunks: readonly Hunk[],
  placed: readonly PlacedHunk[],
  work: Work,
): Steps<readonly PlacedHunk[]> {
  const original = fileText(base, work)
  const inBase = yield* placeHunks(original, hunks, { bestEffort: false })
  if (inBase.some(({ placement }) => placement.status !== 'exact')) return placed
  const kept = lineMap(original.lines, file.lines)
  if (kept === undefined) return placed
  const lines: MappedLines = { original: original.lines, file, kept }
  const result = placed.map((hunk, at) => {
    const source = inBase[at]
    if (hunk.placement.status !== 'conflict' || source === undefined) return hunk
    return carried(source, lines) ?? hunk
  })
  return inOrder(result) ? result : placed
}

interface MappedLines {
  readonly original: readonly string[]
  readonly file: FileText
  /** Index in the file of each original line that was kept, -1 for the others. */
  readonly kept: readonly number[]
}

/** @returns undefined where the two have too little in common */
function lineMap(from: readonly string[], to: readonly string[]): readonly number[] | undefined {
  const map: number[] = []
  let at = 0
  const changes = diffArrays([...from], [...to], { maxEditLength: maxChangedLines })
  if (changes === undefined) return undefined
  for (const { added, removed, count } of changes) {
    if (added) at += count
    else for (let left = count; left > 0; left--) map.push(removed ? -1 : at++)
  }
  return map
}

function carried(source: PlacedHunk, lines: MappedLines): PlacedHunk | undefined {
  const { original, file, kept } = lines
  const edits: Edit[] = []
  for (const edit of source.edits) {
    const before = edit.at === 0 ? -1 : (kept[edit.at - 1] ?? -2)
    const end = edit.at + edit.removed
    const after = end === original.length ? file.lines.length : (kept[end] ?? -2)
    // Neither the changed lines nor their neighbours may have been touched since.
    if (edit.at > 0 && before < 0) return undefined
    if (after < 0 || after - before - 1 !== edit.removed) return undefined
    for (let at = 0; at < edit.removed; at++) if (kept[edit.at + at] !== before + 1 + at) return undefined
    if (!isSure(edit, source, lines)) return undefined
    edits.push({ ...edit, at: before + 1 })
  }
  const [first, last] = [edits[0], edits.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const offset = first.at - (source.edits[0]?.at ?? 0)
  const why = 'three-way: the lines around the change are those of the file that the patch was made for'
  return {
    placement: { ...source.placement, status: 'moved', line: source.placement.line + offset, offset, why },
    start: first.at,
    end: last.at + last.removed,
    edits,
  }
}

function inOrder(hunks: readonly PlacedHunk[]): boolean {
  const edits = hunks.flatMap((hunk) => hunk.edits)
  return edits.every((edit, at) => {
    const previous = edits[at - 1]
    return previous === undefined || previous.at + previous.removed <= edit.at
  })
}

/**
 * Of several blocks with the same lines the comparison takes any. It is sure where the hunk's lines, as far as
 * they were kept around the edit, stand once in the file; else where what was kept above the edit and what was
 * kept below each tell its block from the others.
 */
function isSure(edit: Edit, source: PlacedHunk, lines: MappedLines): boolean {
  const { original, file, kept } = lines
  const from = Math.max(edit.at - 1, 0)
  const to = Math.min(edit.at + edit.removed + 1, original.length)
  let top = from
  while (top > 0 && kept[top - 1] === (kept[top] ?? -1) - 1) top--
  let bottom = to
  while (bottom < original.length && kept[bottom] === (kept[bottom - 1] ?? -2) + 1) bottom++
  if (standsOnce(original.slice(Math.max(top, source.start), Math.min(bottom, source.end)), file)) return true
  const isAtTop = top === 0 && kept[0] === 0
  const isAtEnd = bottom === original.length && kept[bottom - 1] === file.lines.length - 1
  return (
    (isAtTop || standsOnce(original.slice(top, to), file)) &&
    (isAtEnd || standsOnce(original.slice(from, bottom), file))
  )
}

const standsOnce = (block: readonly string[], file: FileText): boolean =>
  exactPositions(file, block).length === 1
