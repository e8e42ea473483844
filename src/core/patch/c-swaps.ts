import { type Run, runsOn } from './c-runs.ts'
import { cTokens, type Token, unmatchedBrackets } from './c-tokens.ts'

/**
 * Lines that go where others come back in their place and look alike from outside: the same brackets left
 * open, the same ends. What is sound around the ones is sound around the others.
 * @param cut the code with both
 */
export function swappedLines(
  cut: readonly string[],
  gone: ReadonlySet<number>,
  back: ReadonlySet<number>,
): ReadonlySet<number> {
  const tokens = cTokens(cut)
  const returning = runsOn(tokens, (line) => back.has(line))
  const swapped = new Set<number>()
  for (const run of runsOn(tokens, (line) => gone.has(line))) {
    const other = returning.find(({ last }) => last === run.first - 1)
    if (other === undefined || !areAlike(tokens, other, run)) continue
    for (const { line } of tokens.slice(other.first, run.last + 1)) swapped.add(line)
  }
  return swapped
}

function areAlike(tokens: readonly Token[], a: Run, b: Run): boolean {
  const kind = (at: number): string => {
    const text = tokens[at]?.text ?? ''
    return /^[\w$]/.test(text) ? 'word' : text
  }
  const open = ({ first, last }: Run): string =>
    unmatchedBrackets(tokens.slice(first, last + 1).map(({ text }) => text))
  return kind(a.first) === kind(b.first) && kind(a.last) === kind(b.last) && open(a) === open(b)
}
