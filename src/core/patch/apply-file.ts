import { mapSteps, type Steps } from '../steps.ts'
import { applyBinary, blobId } from './binary.ts'
import { isDocumentation, leftOut } from './documentation.ts'
import { executableMode, type FileState, type Overlay, regularMode, validMode } from './file-state.ts'
import { fileText, type FileText } from './file-text.ts'
import { done, type FileContext, type FileOptions, type FileVerdict, refuse } from './file-verdict.ts'
import { mendChange } from './damage.ts'
import { lineEndConflict } from './line-ends.ts'
import { binaryString, bytesOf } from './lines.ts'
import { kindConflict, throughSymlink, unsafeLink } from './links.ts'
import type { FilePatch } from './model.ts'
import { createFile, existingCopy } from './new-file.ts'
import { withPlaces } from './refusal-places.ts'
import { applyEdits, type PlacedHunk } from './placement.ts'
import { placeHunks } from './place.ts'
import { patchTarget, type PatchTarget } from './target.ts'
import { placeByBase } from './three-way.ts'
import { whiteSpaceJudged } from './white-space-doubt.ts'
import { spendBytes } from './work.ts'

/** Applies one file's part of a patch to the overlay; writes nothing when any hunk is refused. */
export function* applyFile(file: FilePatch, overlay: Overlay, options: FileOptions): Steps<FileVerdict> {
  const target = patchTarget(file, options.strip, (path) => overlay.read(path)?.kind === 'file')
  const shown = file.newAbsent ? file.oldName : file.newName
  if ('refused' in target) return refuse({ file, path: shown ?? '?' }, target.refused, target.short)
  const { from, to } = target
  const path = to ?? from ?? '?'
  const plain: FileContext = { file, path }
  for (const name of [from, to]) {
    const escape = name === undefined ? undefined : throughSymlink(name, overlay)
    if (escape !== undefined) return refuse(plain, escape)
  }
  if (file.binary !== undefined) return binaryFile(plain, target, overlay, options)
  const moves = from !== undefined && to !== undefined && from !== to
  if (from === undefined) return yield* createFile(plain, path, overlay, options)
  const isCopy = file.git?.operation === 'copy'
  const there = isCopy ? overlay.read(path) : undefined
  if (there !== undefined) return yield* existingCopy(plain, from, there, overlay, options)
  const source = isCopy ? copySource(from, overlay) : sourceOf(from, moves ? to : undefined, overlay)
  if (source === undefined) {
    if (to === undefined) return done(plain, { alreadyApplied: true })
    return refuse(plain, 'there is no such file in the tree', true)
  }
  const misfit = kindConflict(file, source.state)
  if (misfit !== undefined) return refuse(plain, misfit)
  // Renames and copies without a change may be large, and need no look at what they hold.
  const content = file.hunks.length === 0 ? '' : binaryString(source.state.bytes)
  const text = fileText(content, options.work)
  const mended = mendChange(file, content, options.damage)
  if ('refused' in mended) return refuse(plain, mended.refused)
  const context: FileContext = { ...mended, path }
  const unfit = lineEndConflict(mended.file, text.lines)
  if (unfit !== undefined) return refuse(context, unfit)
  const placed = yield* placeAll(mended.file, text, options)
  const shownPlaces = placed.map((hunk) => withPlaces(hunk, path, text.lines))
  const hunks = options.skipDocs && isDocumentation(path) ? shownPlaces.map(leftOut) : shownPlaces
  if (hunks.some(isConflict)) return done(context, { hunks, before: source.state })
  const edits = hunks.flatMap((hunk) => hunk.edits)
  const bytes = edits.length === 0 ? source.state.bytes : bytesOf(applyEdits(text.lines, edits).join(''))
  if (to === undefined) {
    return deleteFile(context, { from, original: target.original }, source.state, bytes, hunks, overlay)
  }
  const mode = file.git?.newMode ?? source.state.mode
  const unchanged = edits.length === 0 && mode === source.state.mode
  const isSkipped = hunks.some(({ placement }) => placement.status === 'skipped')
  const alreadyApplied = unchanged && (source.moved || !moves) && !isSkipped
  if (unchanged && isSkipped && !moves) return done(context, { hunks, before: source.state })
  if (alreadyApplied) return done(context, { hunks, before: source.state, alreadyApplied })
  if (!validMode(mode)) return refuse(context, `mode ${mode.toString(8)} is none that a patch may set`)
  const after: FileState = { bytes, mode, kind: source.state.kind }
  if (isCopy) spendBytes(options.work, bytes.length)
  const unsafe = unsafeLink(to, after)
  if (unsafe !== undefined) return refuse(context, unsafe)
  if (moves && !source.moved) {
    if (overlay.read(to) !== undefined) return refuse(context, 'the new name exists already')
    if (file.git?.operation === 'rename') overlay.write(from, undefined)
  }
  overlay.write(to, after)
  return done(context, { hunks, before: source.state, renamedBefore: source.moved })
}

/** Places a file's hunks; those without a sure place by way of the file they were made for, if it is at hand. */
function* placeAll(file: FilePatch, text: FileText, options: FileOptions): Steps<readonly PlacedHunk[]> {
  const { hunks } = file
  const found = yield* placeHunks(text, hunks, options.place)
  const id = found.some(isConflict) ? file.git?.oldBlob : undefined
  const base = id === undefined || /^0+$/.test(id) ? undefined : options.readBlob?.(id)
  const placed =
    base === undefined ? found : yield* placeByBase(text, binaryString(base), hunks, found, options.work)
  return yield* mapSteps(placed, (hunk, at) =>
    whiteSpaceJudged(hunk, text, hunks[at], options.place.bestEffort),
  )
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
    options.work,
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

const isConflict = (hunk: PlacedHunk): boolean => hunk.placement.status === 'conflict'

interface Source {
  readonly state: FileState
  readonly moved: boolean
}

/** A copy is made of the file as it was before its commit, whatever became of that one by it. */
function copySource(from: string, overlay: Overlay): Source | undefined {
  const state = overlay.readBefore(from) ?? overlay.read(from)
  return state === undefined ? undefined : { state, moved: false }
}

/** The file to patch: under its new name when a rename was done before. */
function sourceOf(from: string, to: string | undefined, overlay: Overlay): Source | undefined {
  const state = overlay.read(from)
  if (state !== undefined) return { state, moved: false }
  const moved = to === undefined ? undefined : overlay.read(to)
  return moved === undefined ? undefined : { state: moved, moved: true }
}

/**
 * Deletes a file of which the patch knows every line, or a copy that is turned back into what it was made of.
 * @param rest what the patch leaves of it
 */
function deleteFile(
  context: FileContext,
  { from, original }: { readonly from: string; readonly original: string | undefined },
  before: FileState,
  rest: Uint8Array,
  hunks: readonly PlacedHunk[],
  overlay: Overlay,
): FileVerdict {
  if (original !== undefined && !isCopied(context.file, rest, overlay.read(original))) {
    return refuse(context, `the copy is to be deleted, but is not what the patch made of ${original}`)
  }
  if (original === undefined && rest.length > 0)
    return refuse(context, 'the file is to be deleted, but lines remain that the patch does not know')
  overlay.write(from, undefined)
  return done(context, { hunks, before })
}

/** Whether this is the file that was copied, as the `index` line or the file itself proves. */
function isCopied({ git }: FilePatch, bytes: Uint8Array, original: FileState | undefined): boolean {
  const blob = git?.newBlob ?? ''
  if (/^[0-9a-f]{7,}$/.test(blob) && blobId(Buffer.from(bytes)).startsWith(blob)) return true
  return original !== undefined && Buffer.from(original.bytes).equals(bytes)
}
