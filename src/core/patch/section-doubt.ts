import type { Candidate } from './candidates.ts'
import { standsAt } from './file-text.ts'
import type { ChangeGroup, HunkSides } from './hunk-sides.ts'
import type { Hunk } from './model.ts'
import type { Edit } from './placement.ts'
import type { Sections, SectionVerdict } from './section.ts'
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
  switch (kind) {
    case 'already-applied': {
      if (missesItsEnd(lines, sides, candidate))
        return 'lines at an end of the file are to go, and others stand there'
      if (start === hunk.new.start - 1) return undefined
      // Without its removed lines a deletion's result is nothing but context, which proves nothing elsewhere.
      const isUnproved = sides.groups.every(({ added }) => added.length === 0) && verdict !== 'same'
      return verdict === 'other' || isUnproved ? 'its result stands here, but in another place' : undefined
    }
    case 'exact':
      return verdict === 'other' && belongsToNamed(hunk, sides, sections)
        ? 'its old text stands in another function than the one that the patch names'
        : undefined
    case 'fuzz':
    case 'moved':
      return driftDoubt(lines, hunk, sides, edits, { sections, start })
  }
}

function driftDoubt(
  lines: readonly string[],
  hunk: Hunk,
  sides: HunkSides,
  edits: readonly Edit[],
  { sections, start }: { readonly sections: Sections; readonly start: number },
): string | undefined {
  const judge = (at: number): SectionVerdict => sections.judge(hunk.section, at)
  const verdict = judge(start)
  if (isThere(lines, sides, edits)) return 'what the hunk adds stands right there already'
  const isOther = verdict === 'other' && edits.every(({ at }) => judge(at) === 'other')
  if (isOther && belongsToNamed(hunk, sides, sections)) {
    return 'its old text stands nearly so in another function than the one that the patch names'
  }
  if (verdict !== 'same' && isBare(lines, sides, edits)) {
    return 'the lines to be removed are blank or braces, and their neighbours are others'
  }
  const isTornOff = (at: number): boolean =>
    judge(at) !== 'same' && functionEnds(lines.slice(start, at)) > functionEnds(sides.pre)
  return edits.some(({ at, removed }) => removed > 0 && isTornOff(at))
    ? 'a function ends between the lines to be removed and the context ahead of them'
    : undefined
}

/** Lines deleted at an end of the file: without them their context must be that end. */
export function missesItsEnd(
  lines: readonly string[],
  { groups, leading, trailing }: HunkSides,
  { start, end }: Pick<Candidate, 'start' | 'end'>,
): boolean {
  const isDeleted = (group: ChangeGroup | undefined): boolean => group?.added.length === 0
  return (
    (trailing === 0 && isDeleted(groups.at(-1)) && end < lines.length) ||
    (leading === 0 && isDeleted(groups[0]) && start > 0)
  )
}

/** Blank or brace-only lines are removed that do not stand between their old neighbours. */
const isBare = (lines: readonly string[], { groups, pre }: HunkSides, edits: readonly Edit[]): boolean =>
  groups.some(({ preStart, removed }, index) => {
    const at = edits[index]?.at ?? 0
    if (removed === 0 || pre.slice(preStart, preStart + removed).some((line) => !isWeak(line))) return false
    return lines[at - 1] !== pre[preStart - 1] || lines[at + removed] !== pre[preStart + removed]
  })

/** Added lines that stand right beside their place, and are no context of the hunk. */
const isThere = (lines: readonly string[], { groups, pre }: HunkSides, edits: readonly Edit[]): boolean =>
  groups.some(({ added, preStart, removed }, index) => {
    const at = edits[index]?.at ?? 0
    const isBeside = (text: readonly string[], place: number): boolean =>
      standsAt(text, place - added.length, added) || standsAt(text, place, added)
    return removed === 0 && isBeside(lines, at) && !isBeside(pre, preStart)
  })

/** Where code is set in from the margin. */
const functionEnds = (lines: readonly string[]): number => lines.filter((line) => line.startsWith('}')).length

/** Much of the hunk's old text is in the function of the `@@` line. */
export function belongsToNamed({ section }: Hunk, { pre }: HunkSides, sections: Sections): boolean {
  const telling = pre.filter((line) => !isWeak(line))
  return sections
    .bodies(section)
    .some((body) => telling.filter((line) => body.has(line)).length >= telling.length * minShareInNamed)
}
