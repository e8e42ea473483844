import { exactPositions, type FileText, standsAt } from './file-text.ts'
import { editsAt, hunkSides, type HunkSides } from './hunk-sides.ts'
import type { Hunk } from './model.ts'
import type { PlacedHunk } from './placement.ts'
import { belongsToNamed, losesNoEnd } from './section-doubt.ts'
import type { Sections } from './section.ts'

/**
 * The places where each hunk of a file stands at the very line that the patch names: the file is as it was when
 * the patch was made, or as it was right after. Then nothing is to be weighed, however often a text repeats.
 * @returns undefined unless that holds for all hunks alike
 */
export function placesAsWritten(
  file: FileText,
  hunks: readonly Hunk[],
  sections: Sections,
): PlacedHunk[] | undefined {
  const all = hunks.map((hunk) => ({ hunk, sides: hunkSides(hunk) }))
  const isAsMade = all.every(
    ({ hunk, sides }) =>
      standsAt(file.lines, hunk.old.start - 1, sides.pre) &&
      keepsItsEnds(file, sides, hunk.old.start - 1) &&
      !isElsewhere(file, hunk, sides, sections),
  )
  if (isAsMade) return all.map(({ hunk, sides }) => untouched(hunk, sides))
  const isAsLeft = all.every(
    ({ hunk, sides }) =>
      sides.post.length > 0 &&
      standsAt(file.lines, hunk.new.start - 1, sides.post) &&
      !losesNoEnd(file.lines, sides, {
        start: hunk.new.start - 1,
        end: hunk.new.start - 1 + sides.post.length,
      }),
  )
  return isAsLeft ? all.map(({ hunk, sides }) => applied(hunk, sides)) : undefined
}

/** A hunk cut for the end (top) of the file says nothing about lines that follow (precede) now. */
function keepsItsEnds(file: FileText, { pre, leading, trailing, groups }: HunkSides, start: number): boolean {
  if (pre.length === 0) return false
  if (groups.some(({ removed }) => removed > 0)) return true
  return (leading > 0 || start === 0) && (trailing > 0 || start + pre.length === file.lines.length)
}

/** The function of the `@@` line is another than the one here, and has the same text. */
const isElsewhere = (file: FileText, hunk: Hunk, sides: HunkSides, sections: Sections): boolean =>
  sections.judge(hunk.section, hunk.old.start - 1) === 'other' &&
  (exactPositions(file, sides.pre).some((at) => sections.judge(hunk.section, at) === 'same') ||
    belongsToNamed(hunk, sides, sections))

function untouched(hunk: Hunk, sides: HunkSides): PlacedHunk {
  const start = hunk.old.start - 1
  const why = 'the old text stands here as it is'
  return {
    ...standing('exact', start, 0, why),
    end: start + sides.pre.length,
    edits: editsAt(sides, start),
  }
}

function applied(hunk: Hunk, sides: HunkSides): PlacedHunk {
  const start = hunk.new.start - 1
  const offset = hunk.new.start - hunk.old.start
  const why = 'the whole result of the hunk stands here'
  return {
    ...standing('already-applied', start, offset, why),
    end: start + sides.post.length,
    edits: [],
  }
}

const standing = (
  status: 'exact' | 'already-applied',
  start: number,
  offset: number,
  why: string,
): Pick<PlacedHunk, 'placement' | 'start'> => ({
  placement: {
    status,
    line: start + 1,
    offset,
    fuzz: 0,
    why,
    confidence: 'high',
    candidates: [{ line: start + 1, score: 1, why }],
  },
  start,
})
