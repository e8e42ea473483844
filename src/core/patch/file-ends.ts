import { type Contender, doubted } from './choose.ts'
import type { FileText } from './file-text.ts'
import type { HunkSides } from './hunk-sides.ts'

/** diff's usual number of context lines. */
const usualContext = 3
/** How far the end of the file is ahead of the old neighbours, or behind them, as the place to append to. */
const endLead = 0.02
const appendedLead = 0.2

/**
 * diff gives less context behind the changes than ahead of them (or the reverse) only at the end (top) of
 * a file. Where the context now stands elsewhere, lines may belong to their neighbours or to the file's end:
 * a block of code of its own stays the file's last, with anything else it is not clear.
 */
export function withFileEnds(
  file: FileText,
  sides: HunkSides,
  contender: Contender,
  named: number,
): readonly Contender[] {
  const { candidate, worth } = contender
  const { leading, trailing, groups } = sides
  if (candidate.kind === 'already-applied' || groups.some((group) => group.removed > 0)) return [contender]
  if (leading < Math.min(trailing, usualContext) && named === 0 && candidate.start > 0) {
    return [doubted(contender, 'the hunk was made for the top of the file, and more precedes here')]
  }
  if (trailing >= Math.min(leading, usualContext) || candidate.end >= file.lines.length) return [contender]
  const reason = 'the hunk was made for the end of the file, and more follows here'
  const [group, ...more] = groups
  if (trailing > 0 || group === undefined || more.length > 0) return [doubted(contender, reason)]
  const end = file.lines.length
  const edits = [{ at: end, removed: 0, added: group.added }]
  const why = 'appended as before, behind lines that were appended since'
  const appended = { ...contender, candidate: { ...candidate, kind: 'moved', end, edits, why } as const }
  if (isCodeBlock(group.added) && isOfBlocks(file.lines.slice(candidate.end)))
    return [appended, { ...contender, worth: worth - appendedLead }]
  // Behind a blank line they had a paragraph of their own, which stands by its neighbours.
  const lead = sides.pre.at(-1)?.trim() === '' ? -endLead : endLead
  return [doubted({ ...appended, worth: worth + lead }, reason), doubted(contender, reason)]
}

/** What ends a block or statement. */
const blockEnd = /([;})]|^#\s*endif\b.*)\s*$/
/** At the margin: a condition goes on or ends, or a program does. Nothing goes behind it. */
const lastWord = /^(#\s*(endif|else|elif)|exit|return|esac|fi|done|end)\b/

/** Whether the lines are whole blocks, opened and closed, which others can follow as well as precede. */
function isOfBlocks(lines: readonly string[]): boolean {
  let [braces, conditions] = [0, 0]
  for (const line of lines) {
    if (conditions === 0 && lastWord.test(line)) return false
    if (/^#\s*if/.test(line)) conditions++
    if (/^#\s*endif/.test(line)) conditions--
    for (const brace of line.match(/[{}]/g) ?? []) {
      braces += brace === '{' ? 1 : -1
      if (braces < 0) return false
    }
  }
  return blockEnd.test(lines.findLast((line) => line.trim() !== '') ?? '')
}

/** Set off by a blank line, and made of statements or braces: its order among its neighbours is free. */
function isCodeBlock(added: readonly string[]): boolean {
  return added[0]?.trim() === '' && added.some((line) => /[;{}]\s*$/.test(line))
}
