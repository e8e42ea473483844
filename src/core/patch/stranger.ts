import type { FileText } from './file-text.ts'
import type { HunkSides } from './hunk-sides.ts'

/** Entries of a list like Kconfig's: a keyword and a name, and nothing else. */
const entryHead = /^([a-z]+)[ \t]+(\w+)\s*$/

/** Fewer entries are no list that has a way of naming them. */
const minEntries = 8

/**
 * Whether the hunk adds a named entry between two that share no word of its name, in a list most of whose
 * entries do. Its neighbours are there by chance and no order put it beside them, so that once the list has
 * changed they do not tell where it belongs.
 * @param at index in the file at which the added lines would go
 */
export function isAmongStrangers(file: FileText, sides: HunkSides, at: number): boolean {
  const [group, ...more] = sides.groups
  if (group === undefined || more.length > 0 || group.removed > 0) return false
  const own = entryHead.exec(group.added.find((line) => line.trim() !== '') ?? '')
  if (own === null) return false
  file.spend(file.lines.length)
  const words = new Set(nameWords(own[2] ?? ''))
  let [entries, kin] = [0, 0]
  let [before, after]: (boolean | undefined)[] = []
  for (const [index, line] of file.lines.entries()) {
    const entry = entryHead.exec(line)
    if (entry === null || entry[1] !== own[1]) continue
    const isKin = nameWords(entry[2] ?? '').some((word) => words.has(word))
    entries++
    if (isKin) kin++
    if (index < at) before = isKin
    else after ??= isKin
  }
  return before === false && after === false && entries >= minEntries && kin * 2 > entries
}

const nameWords = (name: string): readonly string[] => name.split('_')
