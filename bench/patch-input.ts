import { hunkLine } from '../src/core/patch/print.ts'
import type { Edit } from '../src/core/patch/placement.ts'
import type { Random } from './random.ts'

/** Lines of a file that looks like C: many distinct ones, and the usual blank and brace-only ones. */
export function sourceLines(random: Random, count: number): string[] {
  return Array.from({ length: count }, (_, at) => {
    const kind = random.below(10)
    if (kind < 2) return '\n'
    if (kind < 4) return random.pick(['\t}\n', '}\n', '{\n', '\treturn 0;\n', '\tbreak;\n'])
    if (kind < 5) return `static int step_${at}(struct device *dev)\n`
    return `\tvalue_${random.below(count)} = compute(${at}, ${random.below(9)});\n`
  })
}

/** Edits in order, at least eight lines apart. */
export function randomEdits(random: Random, lineCount: number, count: number): Edit[] {
  const edits: Edit[] = []
  let from = random.below(8)
  while (edits.length < count && from < lineCount) {
    const removed = Math.min(random.below(3), lineCount - from)
    const added = Array.from(
      { length: random.below(3) + (removed === 0 ? 1 : 0) },
      (_, at) => `\tadded_${from}_${at}();\n`,
    )
    edits.push({ at: from, removed, added })
    from += removed + 8 + random.below(Math.max(1, Math.floor(lineCount / count)))
  }
  return edits
}

/** A unified diff of these edits with three lines of context. */
export function diffText(path: string, lines: readonly string[], edits: readonly Edit[]): string {
  let grown = 0
  const hunks = edits.map((edit) => {
    const start = Math.max(0, edit.at - 3)
    const end = Math.min(lines.length, edit.at + edit.removed + 3)
    const body = [
      ...lines.slice(start, edit.at).map((text) => hunkLine('context', text)),
      ...lines.slice(edit.at, edit.at + edit.removed).map((text) => hunkLine('removed', text)),
      ...edit.added.map((text) => hunkLine('added', text)),
      ...lines.slice(edit.at + edit.removed, end).map((text) => hunkLine('context', text)),
    ]
    const newCount = end - start - edit.removed + edit.added.length
    const oldStart = end === start ? start : start + 1
    const newStart = newCount === 0 ? start + grown : start + grown + 1
    grown += edit.added.length - edit.removed
    return `@@ -${oldStart},${end - start} +${newStart},${newCount} @@\n${body.map(({ raw }) => raw).join('')}`
  })
  return `--- a/${path}\n+++ b/${path}\n${hunks.join('')}`
}
