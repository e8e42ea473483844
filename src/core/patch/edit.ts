import { dropConditions } from './c-condition.ts'
import type { FilePatch, Hunk, HunkLine, PatchDocument } from './model.ts'
import { hunkLine, printPatch, rebuildHunk } from './print.ts'

/** What becomes of a hunk line; a string replaces its text (line feed included). */
export type LineEdit = 'keep' | 'drop' | { readonly text: string }

/**
 * A patch with some lines changed, as binary string. Dropping an added line no longer adds it; dropping a
 * removed line no longer removes it, so that it becomes context; context is dropped at a hunk's edges only
 * (elsewhere it stays). Counts and all later numbers follow; hunks and files without changes left go.
 */
export function editLines(
  patch: PatchDocument,
  decide: (line: HunkLine, file: FilePatch) => LineEdit,
): string {
  return editHunks(patch, (hunk, file) => {
    const isEdge = edgeTest(hunk)
    return hunk.lines.flatMap((line, at) => {
      const edit = decide(line, file)
      if (edit === 'keep') return [line]
      if (edit !== 'drop') return [hunkLine(line.kind, edit.text)]
      if (line.kind === 'removed') return [hunkLine('context', line.text)]
      return line.kind === 'added' || isEdge(at) ? [] : [line]
    })
  })
}

/**
 * Drops added lines that match. A match inside a C condition takes its operand and one operator with it, so
 * that `if (a || match)` becomes `if (a)`; a condition that is nothing else goes with its statement. A
 * removed line that matches stays in the file.
 */
export function dropLines(patch: PatchDocument, pattern: RegExp): string {
  const test = new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ''))
  return editHunks(patch, (hunk) => {
    const lines: HunkLine[] = []
    let run: string[] = []
    const flush = (): void => {
      lines.push(...dropConditions(run, test).map((text) => hunkLine('added', text)))
      run = []
    }
    for (const line of hunk.lines) {
      if (line.kind === 'added') {
        run.push(line.text)
        continue
      }
      flush()
      lines.push(line.kind === 'removed' && test.test(line.text) ? hunkLine('context', line.text) : line)
    }
    flush()
    return lines.length === hunk.lines.length && lines.every((line, at) => line.text === hunk.lines[at]?.text)
      ? keepRaw(hunk, lines)
      : lines
  })
}

/** Where only kinds may have changed, untouched lines keep their bytes. */
const keepRaw = (hunk: Hunk, lines: readonly HunkLine[]): HunkLine[] =>
  lines.map((line, at) => (line.kind === hunk.lines[at]?.kind ? (hunk.lines[at] ?? line) : line))

function editHunks(patch: PatchDocument, edit: (hunk: Hunk, file: FilePatch) => readonly HunkLine[]): string {
  let carried = ''
  const files: FilePatch[] = []
  for (const file of patch.files) {
    const hunks = renumber(file.hunks.map((hunk) => ({ hunk, lines: edit(hunk, file) })))
    const preamble = carried + file.preamble
    // A mode change or a rename is a change even without hunks.
    const isEmptied =
      hunks.length === 0 && file.hunks.length > 0 && (file.git?.operation ?? 'modify') === 'modify'
    carried = isEmptied ? preamble : ''
    if (!isEmptied) files.push({ ...file, preamble, hunks })
  }
  return printPatch({ ...patch, files, trailer: carried + patch.trailer })
}

function renumber(edited: readonly { readonly hunk: Hunk; readonly lines: readonly HunkLine[] }[]): Hunk[] {
  const hunks: Hunk[] = []
  let shift = 0
  for (const { hunk, lines } of edited) {
    const changed = lines.some((line) => line.kind !== 'context')
    const fewerLeading = hunk.lines.indexOf(
      lines[0] ?? hunk.lines[0] ?? { kind: 'context', text: '', raw: '' },
    )
    const dropped = Math.max(0, lines[0]?.kind === 'context' ? fewerLeading : 0)
    const made = rebuildHunk(hunk, lines, hunk.old.start + dropped, hunk.new.start + shift + dropped)
    const start = made.new.count === 0 && hunk.new.count > 0 ? made.new.start - 1 : made.new.start
    const next = start === made.new.start ? made : rebuildHunk(hunk, lines, made.old.start, start)
    if (changed) hunks.push(next)
    const growth = (changed ? next.new.count - next.old.count : 0) - (hunk.new.count - hunk.old.count)
    shift += growth
  }
  return hunks
}

function edgeTest(hunk: Hunk): (at: number) => boolean {
  const first = hunk.lines.findIndex((line) => line.kind !== 'context')
  const last = hunk.lines.findLastIndex((line) => line.kind !== 'context')
  return (at) => at < first || at > last
}
