/**
 * The known names most like `name`, best first: those within a third of its length in edits, then
 * those that share most of its underscore-separated words.
 */
export function nearestNames(name: string, known: Iterable<string>, limit = 3): readonly string[] {
  const budget = Math.max(1, Math.floor(name.length / 4))
  const words = new Set(name.split('_'))
  const scored: { readonly name: string; readonly score: number }[] = []
  for (const candidate of known) {
    if (candidate === name) continue
    const edits = editDistance(name, candidate, budget)
    if (edits <= budget) {
      scored.push({ name: candidate, score: edits })
      continue
    }
    const shared = sharedWords(words, candidate)
    if (shared > 0.6) scored.push({ name: candidate, score: budget + 1 / shared })
  }
  scored.sort((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1))
  return scored.slice(0, limit).map((entry) => entry.name)
}

/** Share of words in common, 0 to 1; a single common word is no likeness. */
function sharedWords(words: ReadonlySet<string>, candidate: string): number {
  const other = new Set(candidate.split('_'))
  let common = 0
  for (const word of other) if (words.has(word)) common += 1
  return common < 2 ? 0 : common / Math.max(words.size, other.size)
}

/** Optimal-string-alignment distance (a swap of neighbours is one edit), or `budget + 1` when above it. */
function editDistance(a: string, b: string, budget: number): number {
  if (Math.abs(a.length - b.length) > budget) return budget + 1
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    let best = row
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1]
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      )
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1)
      current.push(cost)
      best = Math.min(best, cost)
    }
    if (best > budget) return budget + 1
    beforeLast = last
    last = current
  }
  return last[b.length] ?? budget + 1
}
