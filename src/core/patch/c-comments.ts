/** A hunk may begin inside a comment, whose start it does not show. */
const commentLine = /^\s*\*(?:\s|\/|$)/
const piece = /\/\/|\/\*|\*\/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g

/** Whether the lines (without line ends) begin inside a comment, as far as they show it. */
export function beginsInComment(lines: readonly string[]): boolean {
  return commentLine.test(lines[0] ?? '') || headOfComment(lines) !== undefined
}

/** Index of the last line of a comment whose start is not shown; undefined where no line ends one. */
export function headOfComment(lines: readonly string[]): number | undefined {
  let isInside = false
  for (const [at, line] of lines.entries()) {
    if (!isInside && firstMark(line) === '*/') return at
    isInside = endsInComment(line, isInside)
  }
  return undefined
}

/** Leading lines that look like the rest of a comment that goes on behind them. */
export const leadingCommentLines = (lines: readonly string[]): number => {
  const end = lines.findIndex((line) => !commentLine.test(line))
  return end === -1 ? lines.length : end
}

/**
 * The first kept line (or the end, as the number of lines) that begins inside a comment and did not, or the
 * other way round; undefined where all stay what they were.
 * @param after undefined for a line that is gone
 */
export function firstChangedComment(
  before: readonly string[],
  after: readonly (string | undefined)[],
): number | undefined {
  let [was, is] = [beginsInComment(before), beginsInComment(before)]
  for (const [at, line] of before.entries()) {
    const kept = after[at]
    if (kept !== undefined && was !== is) return at
    was = endsInComment(line, was)
    is = endsInComment(kept ?? '', is)
  }
  return was === is ? undefined : before.length
}

/** What begins or ends a comment first, in a line that begins outside of one. */
const firstMark = (line: string): string | undefined =>
  [...line.matchAll(piece)].map(([text]) => text).find((text) => !/^["']/.test(text))

function endsInComment(line: string, begins: boolean): boolean {
  let isInside = begins
  let at = 0
  for (;;) {
    if (isInside) {
      const end = line.indexOf('*/', at)
      if (end === -1) return true
      at = end + 2
      isInside = false
    }
    const [open] = [...line.slice(at).matchAll(piece)].filter(([text]) => text === '//' || text === '/*')
    if (open === undefined || open[0] === '//') return false
    at += open.index + 2
    isInside = true
  }
}
