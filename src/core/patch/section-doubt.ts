import type { Candidate } from './candidates.ts'
import type { HunkSides } from './hunk-sides.ts'
import type { Hunk } from './model.ts'
import type { Sections } from './section.ts'
import { isWeak } from './weigh.ts'

/** This share of the telling lines standing in the named function means that the hunk belongs there. */
const minShareInNamed = 0.5

/**
 * What the section text of a hunk says against a place that may be the only one: where the function of the `@@`
 * line was edited, the same text in another function is all that is left, and is the wrong one.
 * @param lines the file's
 * @returns undefined where nothing speaks against it
 */
export function sectionDoubt(
  lines: readonly string[],
  hunk: Hunk,
  sides: HunkSides,
  candidate: Candidate,
  sections: Sections,
): string | undefined {
  const { kind, start, edits } = candidate
  const verdict = sections.judge(hunk.section, start)
  const isTornOff = (at: number): boolean =>
    sections.judge(hunk.section, at) !== 'same' &&
    functionEnds(lines.slice(start, at)) > functionEnds(sides.pre)
  switch (kind) {
    case 'already-applied': {
      if (start === hunk.new.start - 1) return undefined
      // Without its removed lines a deletion's result is nothing but context, which proves nothing elsewhere.
      const isUnproved = sides.groups.every(({ added }) => added.length === 0) && verdict !== 'same'
      return verdict === 'other' || isUnproved ? 'its result stands here, but in another place' : undefined
    }
    case 'exact':
      return start !== hunk.old.start - 1 && verdict === 'other' && belongsToNamed(hunk, sides, sections)
        ? 'its old text stands in another function than the one that the patch names'
        : undefined
    case 'fuzz':
    case 'moved':
      return edits.some((edit) => edit.removed > 0 && isTornOff(edit.at))
        ? 'a function ends between the lines to be removed and the context ahead of them'
        : undefined
  }
}

/** Where code is set in from the margin. */
const functionEnds = (lines: readonly string[]): number => lines.filter((line) => line.startsWith('}')).length

/** Much of the hunk's old text is in the function of the `@@` line. */
function belongsToNamed({ section }: Hunk, { pre }: HunkSides, sections: Sections): boolean {
  const telling = pre.filter((line) => !isWeak(line))
  return sections
    .bodies(section)
    .some((body) => telling.filter((line) => body.has(line)).length >= telling.length * minShareInNamed)
}
