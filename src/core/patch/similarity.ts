/** Words of a line: identifiers are taken apart at case-less letter, digit and `_` borders. */
export function lineWords(line: string): readonly string[] {
  return line.match(/[A-Za-z]+|\d+|[^\s\w]/g) ?? []
}

const wordWeight = (word: string): number => (/\w/.test(word) ? 1 : 0.25)

/**
 * How much of two lines is the same, word by word and in order: 0 (nothing) to 1 (all but blanks).
 * The weight of the longest common subsequence of words against that of both lines.
 */
export function wordSimilarity(a: readonly string[], b: readonly string[]): number {
  const total = weightOf(a) + weightOf(b)
  if (total === 0) return 0
  let row = new Float64Array(b.length + 1)
  for (const word of a) {
    const next = new Float64Array(b.length + 1)
    for (let at = 0; at < b.length; at++) {
      const same = word === b[at] ? (row[at] ?? 0) + wordWeight(word) : 0
      next[at + 1] = Math.max(same, row[at + 1] ?? 0, next[at] ?? 0)
    }
    row = next
  }
  return (2 * (row[b.length] ?? 0)) / total
}

function weightOf(words: readonly string[]): number {
  let sum = 0
  for (const word of words) sum += wordWeight(word)
  return sum
}
