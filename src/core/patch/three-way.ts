import { diffArrays } from 'diff'
import { fileText, type FileText } from './file-text.ts'
import type { Hunk } from './model.ts'
import { placeHunks } from './place.ts'
import type { Edit, PlacedHunk } from './placement.ts'

/**
 * Places hunks by way of the very file that the patch was made for: where the lines around a change are the
 * same in the file now, that is the place, whatever became of the rest.
 * @param base the file that the blob id of the patch's `index` line names (binary string)
 * @param placed what was found without it; its refused hunks are tried again
 * @returns the same, with the hunks that this placed
 */
export function placeByBase(
  file: FileText,
  base: string,
  hunks: readonly Hunk[],
  placed: readonly PlacedHunk[],
): readonly PlacedHunk[] {
  const original = fileText(base)
  const inBase = placeHunks(original, hunks, { bestEffort: false })
  if (inBase.some(({ placement }) => placement.status !== 'exact')) return placed
  const map = lineMap(original.lines, file.lines)
  const result = placed.map((hunk, at) => {
    const source = inBase[at]
    if (hunk.placement.status !== 'conflict' || source === undefined) return hunk
    return carried(source, map, original.lines.length, file.lines.length) ?? hunk
  })
  return inOrder(result) ? result : placed
}

/** Index in the new lines of each old line that was kept, -1 for the others; both ends map to themselves. */
function lineMap(from: readonly string[], to: readonly string[]): readonly number[] {
  const map: number[] = []
  let at = 0
  for (const { added, removed, count } of diffArrays([...from], [...to])) {
    if (added) at += count
    else for (let left = count; left > 0; left--) map.push(removed ? -1 : at++)
  }
  return map
}

function carried(
  source: PlacedHunk,
  map: readonly number[],
  oldLength: number,
  newLength: number,
): PlacedHunk | undefined {
  const edits: Edit[] = []
  for (const edit of source.edits) {
    const before = edit.at === 0 ? -1 : (map[edit.at - 1] ?? -2)
    const end = edit.at + edit.removed
    const after = end === oldLength ? newLength : (map[end] ?? -2)
    // Neither the changed lines nor their neighbours may have been touched since.
    if (edit.at > 0 && before < 0) return undefined
    if (after < 0 || after - before - 1 !== edit.removed) return undefined
    for (let at = 0; at < edit.removed; at++) if (map[edit.at + at] !== before + 1 + at) return undefined
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
