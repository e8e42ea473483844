import { finish, type Steps } from '../steps.ts'
import { splitLines, withoutEol } from './lines.ts'
import type { FilePatch, GitHeader, Hunk, PatchDocument, PatchProblem } from './model.ts'
import { gitLineNames, headerName, unquoteName } from './names.ts'
import { hunkHead } from './hunk-extent.ts'
import { parseHunk } from './parse-hunk.ts'
import {
  brokenHunkHead,
  foreignFormat,
  isPlainHeader,
  missingChange,
  uncountedLine,
} from './parse-problems.ts'

/** What a parse accumulates; lines keep their line feeds. */
interface Cursor {
  readonly lines: readonly string[]
  at: number
  readonly problems: PatchProblem[]
}

/** Of text that is no patch each line is a step of its own. */
const linesPerStep = 100

/**
 * Reads a patch (binary string) without losing a byte. Never throws: the first thing that is malformed is
 * named in `problems`, what follows kept as text. Text that is no unified diff becomes the trailer.
 */
export const parsePatch = (text: string): PatchDocument => finish(parsePatchSteps(text))

/** The same, file by file. */
export function* parsePatchSteps(text: string): Steps<PatchDocument> {
  const cursor: Cursor = { lines: splitLines(text), at: 0, problems: [] }
  const files: FilePatch[] = []
  let [textStart, stepped] = [0, 0]
  while (cursor.at < cursor.lines.length && cursor.problems.length === 0) {
    if (cursor.at - stepped > linesPerStep) {
      stepped = cursor.at
      yield
    }
    const headerStart = cursor.at
    const file = (yield* readGitFile(cursor)) ?? (yield* readPlainFile(cursor))
    if (file === undefined) {
      note(cursor, foreignFormat(cursor.lines, headerStart))
      cursor.at = headerStart + 1
      continue
    }
    const start = firstHeaderLine(cursor.lines, textStart, headerStart)
    files.push({
      ...file,
      preamble: cursor.lines.slice(textStart, start).join(''),
      header: cursor.lines.slice(start, headerStart).join('') + file.header,
      line: start + 1,
    })
    note(cursor, missingChange(file))
    if (file.hunks.length > 0) note(cursor, uncountedLine(cursor.lines, cursor.at))
    textStart = cursor.at
  }
  return { files, trailer: cursor.lines.slice(textStart).join(''), problems: cursor.problems }
}

/** `diff -uNr …`, `Index: …` and the ruler under it belong to the header that follows. */
function firstHeaderLine(lines: readonly string[], from: number, header: number): number {
  let start = header
  while (start > from && /^(diff |Index: |index |={20,})/.test(lines[start - 1] ?? '')) start--
  return start
}

/** Only the first problem counts: what is found behind it is mostly its consequence. */
function note({ at, problems }: Cursor, reason: string | undefined): void {
  if (reason !== undefined && problems.length === 0) problems.push({ line: at + 1, reason })
}

type FileBody = Omit<FilePatch, 'preamble' | 'line'>

function* readPlainFile(cursor: Cursor): Steps<FileBody | undefined> {
  if (!isPlainHeader(cursor.lines, cursor.at)) return undefined
  const names = readNames(cursor)
  return { ...names, git: undefined, binary: undefined, hunks: yield* readHunks(cursor) }
}

function readNames(
  cursor: Cursor,
): Pick<FilePatch, 'header' | 'oldName' | 'newName' | 'oldAbsent' | 'newAbsent' | 'crlfHeader'> {
  const [oldLine = '', newLine = ''] = cursor.lines.slice(cursor.at, cursor.at + 2)
  cursor.at += 2
  const [old, fresh] = [oldLine, newLine].map((line) => headerName(withoutEol(line).slice(4)))
  return {
    header: oldLine + newLine,
    oldName: old?.name,
    newName: fresh?.name,
    oldAbsent: old?.absent ?? false,
    newAbsent: fresh?.absent ?? false,
    crlfHeader: oldLine.endsWith('\r\n'),
  }
}

const extendedHeader =
  /^(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to|similarity index|dissimilarity index|index) (.*)$/

function* readGitFile(cursor: Cursor): Steps<FileBody | undefined> {
  const first = cursor.lines[cursor.at] ?? ''
  if (!first.startsWith('diff --git ')) return undefined
  const start = cursor.at
  const fields = new Map<string, string>()
  cursor.at++
  for (;;) {
    const match = extendedHeader.exec(withoutEol(cursor.lines[cursor.at] ?? ''))
    if (match === null) break
    fields.set(match[1] ?? '', match[2] ?? '')
    cursor.at++
  }
  const header = cursor.lines.slice(start, cursor.at).join('')
  const git = gitHeader(fields)
  const lineNames = gitLineNames(withoutEol(first).slice('diff --git '.length))
  const absent = { oldAbsent: git.operation === 'create', newAbsent: git.operation === 'delete' }
  const names = { oldName: lineNames?.old, newName: lineNames?.new, ...absent }
  if (isPlainHeader(cursor.lines, cursor.at)) {
    const body = readNames(cursor)
    const sides = {
      oldAbsent: body.oldAbsent || absent.oldAbsent,
      newAbsent: body.newAbsent || absent.newAbsent,
    }
    return {
      ...body,
      ...sides,
      header: header + body.header,
      git,
      binary: undefined,
      hunks: yield* readHunks(cursor),
    }
  }
  const binary = readBinary(cursor)
  if (binary === undefined && fields.size === 0) return undefined
  return { ...names, header, git, crlfHeader: first.endsWith('\r\n'), binary, hunks: [] }
}

function gitHeader(fields: ReadonlyMap<string, string>): GitHeader {
  const mode = (name: string): number | undefined => {
    const text = fields.get(name)
    return text !== undefined && /^[0-7]{6}$/.test(text.trim()) ? Number.parseInt(text, 8) : undefined
  }
  const name = (field: string): string | undefined => {
    const text = fields.get(field)
    // Nothing follows these names, so that blanks at their end are their own.
    return text === undefined ? undefined : (unquoteName(text)?.name ?? text)
  }
  const index = /^([0-9a-f]+)\.\.([0-9a-f]+)(?: ([0-7]{6}))?/.exec(fields.get('index') ?? '')
  const operation = fields.has('new file mode')
    ? 'create'
    : fields.has('deleted file mode')
      ? 'delete'
      : fields.has('rename to')
        ? 'rename'
        : fields.has('copy to')
          ? 'copy'
          : 'modify'
  return {
    operation,
    from: name('rename from') ?? name('copy from'),
    to: name('rename to') ?? name('copy to'),
    oldMode: mode('old mode') ?? mode('deleted file mode'),
    newMode: mode('new mode') ?? mode('new file mode'),
    indexMode: index?.[3] === undefined ? undefined : Number.parseInt(index[3], 8),
    oldBlob: index?.[1],
    newBlob: index?.[2],
  }
}

/** A `GIT binary patch` runs over one or two blocks, each closed by an empty line. */
function readBinary(cursor: Cursor): string | undefined {
  const { lines } = cursor
  const start = cursor.at
  const first = withoutEol(lines[start] ?? '')
  if (/^Binary files .* differ$/.test(first)) {
    cursor.at++
    return lines[start]
  }
  if (first !== 'GIT binary patch') return undefined
  cursor.at++
  while (/^(literal|delta) \d+$/.test(withoutEol(lines[cursor.at] ?? ''))) {
    cursor.at++
    while (/^[A-Za-z]./.test(lines[cursor.at] ?? '')) cursor.at++
    if (withoutEol(lines[cursor.at] ?? 'x') === '') cursor.at++
  }
  return lines.slice(start, cursor.at).join('')
}

function* readHunks(cursor: Cursor): Steps<Hunk[]> {
  const hunks: Hunk[] = []
  while (hunkHead.test(cursor.lines[cursor.at] ?? '')) {
    const read = parseHunk(cursor.lines, cursor.at)
    if ('problem' in read) {
      cursor.problems.push(read.problem)
      break
    }
    hunks.push(read.hunk)
    cursor.at = read.next
    yield
  }
  note(cursor, brokenHunkHead(cursor.lines[cursor.at] ?? ''))
  return hunks
}
