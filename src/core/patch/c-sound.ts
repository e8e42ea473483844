import { firstChangedComment } from './c-comments.ts'
import type { Texts } from './c-cut.ts'
import { problemWithout, runsOn } from './c-runs.ts'
import { swappedLines } from './c-swaps.ts'
import { cTokens, type Token, unmatchedBrackets } from './c-tokens.ts'
import { cannotDrop } from './edit-error.ts'

/** Code before and after an edit, line by line. */
export interface Edit {
  /** All lines, also those that the patch removes and the edit brings back. */
  readonly lines: readonly string[]
  /** As the patch makes it; undefined for what the edit brings back. */
  readonly before: Texts
  /** With operands cut, and with the lines that go as a whole. */
  readonly cut: Texts
  readonly after: Texts
  /** Lines that go as a whole. */
  readonly gone: ReadonlySet<number>
  /** Lines that come back, but for those of changes that are undone as a whole. */
  readonly back: ReadonlySet<number>
}

/** @throws build E_PATCH_EDIT where code that was sound before is not after */
export function checkSound(edit: Edit): void {
  const { lines, gone, back } = edit
  const [before, cut, after] = [
    filled(lines, edit.before),
    filled(lines, edit.cut),
    filled(lines, edit.after),
  ] as const
  const changed = [...lines.keys()].filter((at) => edit.after[at] !== edit.before[at])
  const shown = (at: number): string => lines[at] ?? ''
  const first = changed[0] ?? 0
  const comment = firstChangedComment(before, edit.after)
  if (comment !== undefined) {
    const cause = changed.findLast((at) => at < comment) ?? first
    throw cannotDrop(shown(cause), 'a comment would lose its beginning or its end', cause)
  }
  if (unmatchedBrackets(before) !== unmatchedBrackets(after)) {
    throw cannotDrop(shown(first), 'the rest would have unbalanced brackets', first)
  }
  const tokens = cTokens(after)
  if (danglingOperators(tokens) > danglingOperators(cTokens(before))) {
    const reason = 'the rest would have an operator, a comma or a label with nothing behind it'
    throw cannotDrop(shown(first), reason, first)
  }
  const swapped = swappedLines(cut, gone, back)
  const isAlone = (lines: ReadonlySet<number>) => (line: number) => lines.has(line) && !swapped.has(line)
  checkRuns(cTokens(cut), isAlone(gone), shown)
  checkRuns(tokens, isAlone(back), shown)
  checkMacros(lines, edit.after)
}

/** Lines that are not there leave an empty one; a macro goes on over it. */
const filled = (lines: readonly string[], texts: Texts): readonly string[] =>
  texts.map((text, at) => text ?? (lines[at]?.endsWith('\\') === true ? '\\' : ''))

/** What comes back is as sound as the code without it is, if it were taken away. */
function checkRuns(
  tokens: readonly Token[],
  isOn: (line: number) => boolean,
  shown: (at: number) => string,
): void {
  for (const run of runsOn(tokens, isOn)) {
    const problem = problemWithout(tokens, run)
    const line = tokens[run.first]?.line ?? 0
    if (problem !== undefined) throw cannotDrop(shown(line), problem, line)
  }
}

const needsLeft = new Set(['||', '&&', ',', ')', ';', ']'])

function danglingOperators(tokens: readonly Token[]): number {
  return tokens.filter(({ text }, at) => {
    const next = tokens[at + 1]?.text ?? ''
    if (text === '||' || text === ',') return needsLeft.has(next)
    // Compilers older than C23 want a statement behind a label.
    if (text === ':') return next === '}'
    return (text === '(' && (next === '||' || next === ',')) || (text === '&&' && next === ')')
  }).length
}

/** Of a macro, inner lines may go, or all; without its first or last line the rest would mean something else. */
function checkMacros(before: readonly string[], texts: Texts): void {
  for (let at = 0; at < before.length; at++) {
    const start = at
    while (before[at]?.endsWith('\\') === true && at + 1 < before.length) at++
    const kept = texts.slice(start, at + 1).filter((text) => text !== undefined)
    const isCut = kept.length > 0 && (texts[start] === undefined || texts[at] === undefined)
    if (at > start && isCut) {
      throw cannotDrop(before[start] ?? '', 'a macro would lose its first or last line', start)
    }
  }
}
