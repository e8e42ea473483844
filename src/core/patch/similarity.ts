/** Words of a line: identifiers are taken apart at case-less letter, digit and `_` borders. */
export function lineWords(line: string): readonly string[] {
  return line.match(/[A-Za-z]+|\d+|[^\s\w]/g) ?? []
}

const wordWeight = (word: string): number => (/\w/.test(word) ? 1 : 0.25)

/** Words as numbers, since those of one line are compared with those of many. */
export interface Vocabulary {
  readonly wordsOf: (line: string) => Words
  /** Weight of each word, by its number. */
  readonly weights: readonly number[]
}

export interface Words {
  readonly numbers: readonly number[]
  /** Of all of them. */
  readonly weight: number
}

export function newVocabulary(): Vocabulary {
  const known = new Map<string, number>()
  const weights: number[] = []
  const numberOf = (word: string): number => {
    const number = known.get(word) ?? weights.length
    if (number === weights.length) {
      known.set(word, number)
      weights.push(wordWeight(word))
    }
    return number
  }
  return {
    weights,
    wordsOf: (line) => {
      const numbers = lineWords(line).map(numberOf)
      return { numbers, weight: weightOf(numbers, weights) }
    },
  }
}

/**
 * How much of one line and others is the same, word by word and in order: 0 (nothing) to 1 (all but blanks).
 * The weight of the longest common subsequence of words against that of both lines.
 * @param least 0 may stand for what is less
 * @param spend is told the comparisons that are made
 */
export function similarityTo(
  line: Words,
  { weights }: Vocabulary,
  least: number,
  spend: (comparisons: number) => void,
): (other: Words) => number {
  const counts = Array.from<number>({ length: weights.length }).fill(0)
  for (const number of line.numbers) counts[number] = (counts[number] ?? 0) + 1
  /** Weight of the words that both have, in whatever order: those in order weigh no more. */
  const inCommon = (numbers: readonly number[]): number => {
    let sum = 0
    for (const number of numbers) {
      const left = counts[number] ?? 0
      counts[number] = left - 1
      if (left > 0) sum += weights[number] ?? 0
    }
    for (const number of numbers) counts[number] = (counts[number] ?? 0) + 1
    return sum
  }
  return (other) => {
    const total = line.weight + other.weight
    spend(other.numbers.length)
    if (total === 0 || (2 * inCommon(other.numbers)) / total < least) return 0
    return (2 * commonWeight(line.numbers, other.numbers, weights, spend)) / total
  }
}

/** Weight of a longest common subsequence. What both begin and end with is part of one. */
function commonWeight(
  a: readonly number[],
  b: readonly number[],
  weights: readonly number[],
  spend: (comparisons: number) => void,
): number {
  let [start, end] = [0, 0]
  const shorter = Math.min(a.length, b.length)
  while (start < shorter && a[start] === b[start]) start++
  while (end < shorter - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  const ends = weightOf(a.slice(0, start), weights) + weightOf(a.slice(a.length - end), weights)
  const inner = b.slice(start, b.length - end)
  spend((a.length - start - end) * inner.length)
  let row = new Float64Array(inner.length + 1)
  for (const number of a.slice(start, a.length - end)) {
    const next = new Float64Array(inner.length + 1)
    for (let at = 0; at < inner.length; at++) {
      const same = number === inner[at] ? (row[at] ?? 0) + (weights[number] ?? 0) : 0
      next[at + 1] = Math.max(same, row[at + 1] ?? 0, next[at] ?? 0)
    }
    row = next
  }
  return ends + (row[inner.length] ?? 0)
}

function weightOf(numbers: readonly number[], weights: readonly number[]): number {
  let sum = 0
  for (const number of numbers) sum += weights[number] ?? 0
  return sum
}
