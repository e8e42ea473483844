import { finish, type Steps } from '../steps.ts'
import { type CodeLine, dropFromCode, type Matches } from './c-drop.ts'
import { CannotDrop, cannotDrop } from './edit-error.ts'
import { displayText, withoutEol } from './lines.ts'
import type { FilePatch, Hunk, HunkLine, PatchDocument } from './model.ts'
import { hunkLine, rebuildHunk } from './print.ts'
import { withoutHunks } from './without-hunks.ts'

/** What becomes of a hunk line; a text (binary string, line feed included) replaces the line's. */
export type LineEdit = 'keep' | 'drop' | { readonly text: string }

/**
 * A patch with some of its lines changed. Dropping an added line no longer adds it; dropping a removed line
 * no longer removes it, so that it becomes context; context can only be dropped at the edges of a hunk.
 * Counts and all later numbers follow; hunks without changes go, and files of which nothing is left.
 * @throws build E_PATCH_EDIT for an edit that no patch can express
 */
export function editLines(
  patch: PatchDocument,
  decide: (line: HunkLine, file: FilePatch, hunk: Hunk) => LineEdit,
): PatchDocument {
  const edited = editHunks(patch, (hunk, file) => {
    const first = hunk.lines.findIndex((line) => line.kind !== 'context')
    const last = hunk.lines.findLastIndex((line) => line.kind !== 'context')
    return hunk.lines.map((line, at) => {
      const edit = decide(line, file, hunk)
      if (edit === 'keep') return line
      if (edit !== 'drop') return hunkLine(line.kind, edit.text)
      if (line.kind === 'removed') return hunkLine('context', line.text)
      if (line.kind === 'context' && at > first && at < last) {
        throw cannotDrop(line.text, 'context between changes can not be dropped', at)
      }
      return undefined
    })
  })
  return finish(edited)
}

const codeFile = /\.(?:c|h|cc|hh|cpp|hpp|cxx|hxx)$/i

/**
 * Drops the added and removed lines whose text matches (without marker and line end, as UTF-8 where it is).
 * In C code the rest stays sound: of a condition only the operand that matches goes (see `dropFromCode`).
 * @throws build E_PATCH_EDIT where that is not possible
 */
export const dropLines = (patch: PatchDocument, pattern: RegExp): PatchDocument =>
  finish(dropLinesSteps(patch, pattern))

/** The same, hunk by hunk. */
export function dropLinesSteps(patch: PatchDocument, pattern: RegExp): Steps<PatchDocument> {
  const test = new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ''))
  const matches: Matches = (text) => test.test(displayText(text))
  return editHunks(patch, (hunk, file) => {
    const isCode = codeFile.test(file.newName ?? '') || codeFile.test(file.oldName ?? '')
    const isBack = (line: HunkLine): boolean => line.kind === 'removed' && matches(withoutEol(line.text))
    const isDropped = (line: HunkLine): boolean => line.kind === 'added' && matches(withoutEol(line.text))
    if (!hunk.lines.some((line) => isBack(line) || isDropped(line))) return hunk.lines
    if (isCode) return dropCode(hunk.lines, matches)
    return hunk.lines.map((line) =>
      isBack(line) ? hunkLine('context', line.text) : isDropped(line) ? undefined : line,
    )
  })
}

/** Lines of changes from which nothing would be left: all that is added goes, all that is removed comes back. */
function undoneLines(lines: readonly HunkLine[], matches: Matches): ReadonlySet<number> {
  const undone = new Set<number>()
  for (let at = 0; at < lines.length; at++) {
    const start = at
    while (lines[at] !== undefined && lines[at]?.kind !== 'context') at++
    const change = lines.slice(start, at)
    const isReplaced = change.some(({ kind }) => kind === 'removed')
    if (!isReplaced || !change.every(({ text }) => matches(withoutEol(text)))) continue
    for (let line = start; line < at; line++) undone.add(line)
  }
  return undone
}

function dropCode(lines: readonly HunkLine[], matches: Matches): (HunkLine | undefined)[] {
  const isBack = ({ kind, text }: HunkLine): boolean => kind === 'removed' && matches(withoutEol(text))
  const undone = undoneLines(lines, matches)
  const shown = [...lines.entries()].filter(([, line]) => line.kind !== 'removed' || isBack(line))
  const code = shown.map(([at, line]): CodeLine => ({
    text: withoutEol(line.text),
    added: line.kind === 'added',
    back: isBack(line),
    undone: undone.has(at),
  }))
  const toHunk = ({ text, reason, line }: CannotDrop): CannotDrop =>
    cannotDrop(text, reason, shown[line ?? -1]?.[0])
  const texts = orElse(() => dropFromCode(code, matches), toHunk)
  const edited: (HunkLine | undefined)[] = [...lines]
  for (const [index, [at, line]] of shown.entries()) {
    const text = texts[index]
    const eol = line.text.slice(withoutEol(line.text).length)
    if (isBack(line)) edited[at] = hunkLine('context', line.text)
    else if (text !== code[index]?.text) {
      edited[at] = text === undefined ? undefined : hunkLine('added', text + eol)
    }
  }
  return edited
}

/** `edit` gives a line or undefined for each line of the hunk. */
function* editHunks(
  patch: PatchDocument,
  edit: (hunk: Hunk, file: FilePatch) => readonly (HunkLine | undefined)[],
): Steps<PatchDocument> {
  let preamble = ''
  const files: FilePatch[] = []
  for (const file of patch.files) {
    const edited: EditedHunk[] = []
    for (const hunk of file.hunks) {
      const lines = orElse(
        () => edit(hunk, file),
        (error) => inFile(error, file, hunk),
      )
      edited.push({ hunk, edited: lines })
      yield
    }
    const hunks = renumber(edited)
    orElse(
      () => checkEnds(file, hunks),
      (error) => inFile(error, file),
    )
    preamble += file.preamble
    const rest = hunks.length > 0 || file.hunks.length === 0 ? { ...file, hunks } : withoutHunks(file)
    if (rest === undefined) continue
    files.push({ ...rest, preamble })
    preamble = ''
  }
  return { ...patch, files, trailer: preamble + patch.trailer }
}

/** The result, or the refusal with its place told better. */
function orElse<T>(run: () => T, placed: (error: CannotDrop) => CannotDrop): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof CannotDrop ? placed(error) : error
  }
}

/** `error.line` is an index into the hunk; people look for it in the patched file. */
function inFile({ text, reason, line }: CannotDrop, file: FilePatch, hunk?: Hunk): CannotDrop {
  const name = (file.newAbsent ? file.oldName : file.newName) ?? 'a file without a name'
  if (hunk === undefined) return new CannotDrop(text, reason, undefined, name)
  const ahead = hunk.lines.slice(0, line ?? 0).filter(({ kind }) => kind !== 'removed').length
  const place = `${name}:${hunk.new.start + ahead}, hunk ${file.hunks.indexOf(hunk) + 1}`
  return new CannotDrop(text, reason, undefined, place)
}

interface EditedHunk {
  readonly hunk: Hunk
  readonly edited: readonly (HunkLine | undefined)[]
}

function renumber(all: readonly EditedHunk[]): Hunk[] {
  const hunks: Hunk[] = []
  let shift = 0
  for (const { hunk, edited } of all) {
    const lines = edited.filter((line) => line !== undefined)
    const first = edited.findIndex((line) => line !== undefined)
    const leading = hunk.lines.slice(0, Math.max(first, 0)).filter((line) => line.kind === 'context').length
    const count = (side: 'removed' | 'added'): number =>
      lines.filter((line) => line.kind === 'context' || line.kind === side).length
    const made = rebuildHunk(
      hunk,
      lines,
      startLine(hunk.old.start, hunk.old.count, leading, count('removed')),
      startLine(hunk.new.start, hunk.new.count, leading + shift, count('added')),
    )
    shift -= hunk.new.count - hunk.old.count
    if (lines.every((line) => line.kind === 'context')) continue
    hunks.push(made)
    shift += made.new.count - made.old.count
  }
  return hunks
}

/** An empty range is named by the line ahead of it. */
function startLine(start: number, oldCount: number, moved: number, count: number): number {
  const ahead = (oldCount === 0 ? start : start - 1) + moved
  return count === 0 ? ahead : ahead + 1
}

function checkEnds(file: FilePatch, hunks: readonly Hunk[]): void {
  for (const { lines } of hunks) {
    for (const side of ['removed', 'added'] as const) {
      const own = lines.filter((line) => line.kind === 'context' || line.kind === side)
      const early = own.slice(0, -1).find((line) => !line.text.endsWith('\n'))
      if (early !== undefined) throw cannotDrop(early.text, 'the file would go on behind its last line')
    }
    const kept = lines.find((line) => line.kind === 'context')
    if (file.newAbsent && kept !== undefined) {
      throw cannotDrop(kept.text, 'a file that is deleted can not keep a line')
    }
  }
}
