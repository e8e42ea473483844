import type { FilePlacement } from './apply.ts'
import { applyBinary } from './binary.ts'
import { executableMode, type FileState, type Overlay, regularMode, symlinkMode } from './file-state.ts'
import { fileText, type FileText } from './file-text.ts'
import { lineEndConflict, withFittingLineEnds } from './line-ends.ts'
import { binaryString, bytesOf } from './lines.ts'
import type { FilePatch } from './model.ts'
import { applyEdits, type PlacedHunk } from './placement.ts'
import { placeHunks, type PlaceOptions } from './place.ts'
import { patchTarget, type PatchTarget } from './target.ts'
import { placeByBase } from './three-way.ts'

interface FileOptions {
  readonly strip: number
  /** The file patch was turned round: binary bodies hold both ways. */
  readonly reverse: boolean
  readonly readBlob: ((id: string) => Uint8Array | undefined) | undefined
  readonly place: PlaceOptions
}

export interface FileVerdict {
  readonly placement: FilePlacement
  /** Why the file as a whole is refused. */
  readonly refused: string | undefined
}

/** Applies one file's part of a patch to the overlay; writes nothing when any hunk is refused. */
export function applyFile(file: FilePatch, overlay: Overlay, options: FileOptions): FileVerdict {
  const target = patchTarget(file, options.strip, (path) => overlay.read(path)?.kind === 'file')
  const shown = file.newAbsent ? file.oldName : file.newName
  if ('refused' in target) return refuse({ file, path: shown ?? '?' }, target.refused)
  const { from, to } = target
  const path = to ?? from ?? '?'
  const context: FileContext = { file, path }
  for (const name of [from, to]) {
    const escape = name === undefined ? undefined : throughSymlink(name, overlay)
    if (escape !== undefined) return refuse(context, escape)
  }
  if (file.binary !== undefined) return binaryFile(context, target, overlay, options)
  const moves = from !== undefined && to !== undefined && from !== to
  const source = sourceOf(from, moves ? to : undefined, overlay)
  if (from === undefined) return createFile(context, path, overlay, options)
  if (source === undefined) {
    if (to === undefined) return done(context, { alreadyApplied: true })
    return refuse(context, 'there is no such file in the tree')
  }
  if (source.state.kind === 'other') return refuse(context, 'not a regular file')
  if ((source.state.kind === 'symlink') !== isSymlinkPatch(file)) {
    return refuse(context, 'a symbolic link and a regular file are not the same thing')
  }
  const content = binaryString(source.state.bytes)
  const text = fileText(content)
  const unfit = lineEndConflict(file, text.lines)
  if (unfit !== undefined) return refuse(context, unfit)
  const hunks = placeAll(file, text, content, options)
  if (hunks.some(isConflict)) return done(context, { hunks, before: source.state })
  if (to === undefined) return deleteFile(context, from, source.state, text, hunks, overlay)
  const mode = file.git?.newMode ?? source.state.mode
  const edits = hunks.flatMap((hunk) => hunk.edits)
  const unchanged = edits.length === 0 && mode === source.state.mode
  const alreadyApplied = unchanged && (source.moved || !moves)
  if (alreadyApplied) return done(context, { hunks, before: source.state, alreadyApplied })
  if (!validMode(mode)) return refuse(context, `mode ${mode.toString(8)} is none that a patch may set`)
  const bytes = edits.length === 0 ? source.state.bytes : bytesOf(applyEdits(text.lines, edits).join(''))
  if (moves && !source.moved) {
    if (overlay.read(to) !== undefined) return refuse(context, 'the new name exists already')
    if (file.git?.operation === 'rename') overlay.write(from, undefined)
  }
  overlay.write(to, { bytes, mode, kind: source.state.kind })
  return done(context, { hunks, before: source.state })
}

/** Places a file's hunks; those without a sure place by way of the file they were made for, if it is at hand. */
function placeAll(
  file: FilePatch,
  text: FileText,
  content: string,
  options: FileOptions,
): readonly PlacedHunk[] {
  const { hunks } = withFittingLineEnds(file, content)
  const placed = placeHunks(text, hunks, options.place)
  if (!placed.some(isConflict) || options.readBlob === undefined) return placed
  const id = file.git?.oldBlob
  const base = id === undefined || /^0+$/.test(id) ? undefined : options.readBlob(id)
  return base === undefined ? placed : placeByBase(text, binaryString(base), hunks, placed)
}

/** Binary content is replaced as a whole; a rename along with it is too rare to guess at. */
function binaryFile(
  context: FileContext,
  target: PatchTarget,
  overlay: Overlay,
  options: FileOptions,
): FileVerdict {
  const { file } = context
  const { from, to } = target
  if (from !== undefined && to !== undefined && from !== to) {
    return refuse(context, 'a binary patch that also renames can not be applied')
  }
  const before = overlay.read(from ?? to ?? '')
  if (before !== undefined && before.kind !== 'file') return refuse(context, 'not a regular file')
  if (before === undefined && to === undefined) return done(context, { alreadyApplied: true })
  const result = applyBinary(
    file,
    before === undefined ? undefined : Buffer.from(before.bytes),
    options.reverse,
  )
  if ('refused' in result) return refuse(context, result.refused)
  const mode = file.git?.newMode ?? before?.mode ?? regularMode
  if (mode !== regularMode && mode !== executableMode) {
    return refuse(context, `mode ${mode.toString(8)} is none that a binary patch may set`)
  }
  if (to !== undefined && result.alreadyApplied && mode === before?.mode) {
    return done(context, { before, alreadyApplied: true })
  }
  overlay.write(context.path, to === undefined ? undefined : { bytes: result.bytes, mode, kind: 'file' })
  return done(context, { before })
}

interface FileContext {
  readonly file: FilePatch
  readonly path: string
}

const isConflict = (hunk: PlacedHunk): boolean => hunk.placement.status === 'conflict'

const validMode = (mode: number): boolean => [regularMode, executableMode, symlinkMode].includes(mode)

function isSymlinkPatch({ git }: FilePatch): boolean {
  return [git?.newMode, git?.oldMode, git?.indexMode].includes(symlinkMode)
}

/** The file to patch: under its new name when a rename was done before. */
function sourceOf(
  from: string | undefined,
  to: string | undefined,
  overlay: Overlay,
): { readonly state: FileState; readonly moved: boolean } | undefined {
  if (from === undefined) return undefined
  const state = overlay.read(from)
  if (state !== undefined) return { state, moved: false }
  const moved = to === undefined ? undefined : overlay.read(to)
  return moved === undefined ? undefined : { state: moved, moved: true }
}

/** A name below a symbolic link may lie anywhere, so none is followed. */
function throughSymlink(path: string, overlay: Overlay): string | undefined {
  const parts = path.split('/')
  for (let count = 1; count < parts.length; count++) {
    const parent = parts.slice(0, count).join('/')
    const kind = overlay.read(parent)?.kind
    if (kind === 'symlink')
      return `${parent} is a symbolic link, and what lies behind it may be outside the tree`
    if (kind === 'file') return `${parent} is a file, not a directory`
  }
  return undefined
}

function createFile(context: FileContext, path: string, overlay: Overlay, options: FileOptions): FileVerdict {
  const { file } = context
  const mode = file.git?.newMode ?? regularMode
  if (!validMode(mode)) return refuse(context, `mode ${mode.toString(8)} is none that a patch may set`)
  const content = file.hunks
    .flatMap((hunk) => hunk.lines)
    .map((line) => line.text)
    .join('')
  if (file.hunks.some((hunk) => hunk.old.count > 0)) {
    return refuse(context, 'the header says that the file is new, but a hunk expects lines in it')
  }
  if (file.hunks.length > 1) return refuse(context, 'a new file with more than one hunk')
  if (mode === symlinkMode) {
    const reason = unsafeLink(path, content)
    if (reason !== undefined) return refuse(context, reason)
  }
  const before = overlay.read(path)
  const bytes = bytesOf(content)
  if (before !== undefined && (before.kind === 'other' || before.bytes.length > 0 || content === '')) {
    const same = before.kind !== 'other' && Buffer.from(before.bytes).equals(bytes)
    if (same) return done(context, { before, alreadyApplied: true })
    return refuse(context, 'the file exists already with another content')
  }
  const hunks = placeHunks(fileText(''), file.hunks, options.place)
  overlay.write(path, { bytes, mode, kind: mode === symlinkMode ? 'symlink' : 'file' })
  return done(context, { hunks, before })
}

function unsafeLink(path: string, target: string): string | undefined {
  if (target.startsWith('/')) return 'a symbolic link to an absolute name'
  let depth = path.split('/').length - 1
  for (const part of target.split('/')) {
    depth += part === '..' ? -1 : part === '.' || part === '' ? 0 : 1
    if (depth < 0) return 'a symbolic link that leaves the tree'
  }
  return undefined
}

function deleteFile(
  context: FileContext,
  path: string,
  before: FileState,
  text: FileText,
  hunks: readonly PlacedHunk[],
  overlay: Overlay,
): FileVerdict {
  const left = applyEdits(
    text.lines,
    hunks.flatMap((hunk) => hunk.edits),
  )
  if (left.length > 0)
    return refuse(context, 'the file is to be deleted, but lines remain that the patch does not know')
  overlay.write(path, undefined)
  return done(context, { hunks, before })
}

function done(
  { file, path }: FileContext,
  result: { hunks?: readonly PlacedHunk[]; before?: FileState | undefined; alreadyApplied?: boolean },
): FileVerdict {
  const placement = {
    path,
    operation: operationOf(file),
    hunks: result.hunks ?? [],
    alreadyApplied: result.alreadyApplied ?? false,
    before: result.before,
  }
  return { placement, refused: undefined }
}

function refuse(context: FileContext, reason: string): FileVerdict {
  return { placement: done(context, {}).placement, refused: reason }
}

function operationOf(file: FilePatch): FilePlacement['operation'] {
  if (file.git !== undefined && file.git.operation !== 'modify') return file.git.operation
  return file.oldAbsent ? 'create' : file.newAbsent ? 'delete' : 'modify'
}
