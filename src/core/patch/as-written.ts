import { everySteps, mapSteps, type Steps } from '../steps.ts'
import { type Candidate, oldTextAt, resultAt } from './candidates.ts'
import { exactPositions, type FileText, standsAt } from './file-text.ts'
import type { HunkSides } from './hunk-sides.ts'
import type { Hunk } from './model.ts'
import { belongsToNamed, missesItsEnd } from './section-doubt.ts'
import type { Sections } from './section.ts'

export interface SidedHunk {
  readonly hunk: Hunk
  readonly sides: HunkSides
  /** 0-based line that the patch names. */
  readonly named: number
}

export interface WrittenPlace {
  readonly candidate: Candidate
  readonly named: number
}

/**
 * The places where each hunk of a file stands at the very line that the patch names: the file is as it was when
 * the patch was made, or as it was right after. Then nothing is to be weighed, however often a text repeats.
 * @returns undefined unless that holds for all hunks alike
 */
export function* placesAsWritten(
  file: FileText,
  hunks: readonly SidedHunk[],
  sections: Sections,
): Steps<readonly WrittenPlace[] | undefined> {
  const isAsMade = yield* everySteps(
    hunks,
    ({ hunk, sides }) =>
      standsAt(file.lines, hunk.old.start - 1, sides.pre) &&
      keepsItsEnds(file, sides, hunk.old.start - 1) &&
      !isElsewhere(file, hunk, sides, sections),
  )
  if (isAsMade) {
    return yield* mapSteps(hunks, ({ hunk, sides, named }) => ({
      candidate: oldTextAt(sides, hunk.old.start - 1),
      named,
    }))
  }
  const results = yield* mapSteps(hunks, ({ hunk, sides, named }) => ({
    candidate: resultAt(sides, hunk.new.start - 1),
    sides,
    named,
  }))
  const isAsLeft = yield* everySteps(
    results,
    ({ candidate, sides }) =>
      sides.post.length > 0 &&
      standsAt(file.lines, candidate.start, sides.post) &&
      !missesItsEnd(file.lines, sides, candidate),
  )
  return isAsLeft ? results : undefined
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
