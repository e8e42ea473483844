import type { Steps } from '../steps.ts'
import { mendChange, mendNewFile } from './damage.ts'
import { type FileState, type Overlay, regularMode, symlinkMode, validMode } from './file-state.ts'
import { fileText } from './file-text.ts'
import { done, type FileContext, type FileOptions, type FileVerdict, refuse } from './file-verdict.ts'
import { binaryString, bytesOf } from './lines.ts'
import { kindConflict, unsafeLink } from './links.ts'
import { placeHunks } from './place.ts'

/** A copy whose name is taken: nothing is to be done where it is what the patch makes, else it must not be lost. */
export function* existingCopy(
  context: FileContext,
  from: string,
  copy: FileState,
  overlay: Overlay,
  { place, damage, work }: FileOptions,
): Steps<FileVerdict> {
  const { file } = context
  const misfit = kindConflict(file, copy)
  if (misfit !== undefined) return refuse(context, misfit)
  const content = binaryString(copy.bytes)
  const mended = mendChange(file, content, damage)
  if ('refused' in mended) return refuse(context, mended.refused)
  const hunks = yield* placeHunks(fileText(content, work), mended.file.hunks, place)
  const original = overlay.read(from)
  const isMade =
    hunks.length > 0
      ? hunks.every(({ placement }) => placement.status === 'already-applied')
      : original !== undefined && sameContent(original, copy)
  if (isMade && (file.git?.newMode ?? copy.mode) === copy.mode) {
    return done(context, { hunks, before: copy, alreadyApplied: true })
  }
  return refuse(context, 'the new name exists already, and is not what the patch makes of the copy')
}

/** Makes a file that is new; one that is there already may differ in its mode alone. */
export function* createFile(
  given: FileContext,
  path: string,
  overlay: Overlay,
  options: FileOptions,
): Steps<FileVerdict> {
  const mended = mendNewFile(given.file, options.damage)
  if ('refused' in mended) return refuse(given, mended.refused)
  const context: FileContext = { ...mended, path }
  const { file } = mended
  const before = overlay.read(path)
  const mode = file.git?.newMode ?? (before?.kind === 'file' ? before.mode : regularMode)
  if (!validMode(mode)) return refuse(context, `mode ${mode.toString(8)} is none that a patch may set`)
  const content = file.hunks
    .flatMap((hunk) => hunk.lines)
    .map((line) => line.text)
    .join('')
  if (file.hunks.some((hunk) => hunk.old.count > 0)) {
    return refuse(context, 'the header says that the file is new, but a hunk expects lines in it')
  }
  if (file.hunks.length > 1) return refuse(context, 'a new file with more than one hunk')
  const after: FileState = {
    bytes: bytesOf(content),
    mode,
    kind: mode === symlinkMode ? 'symlink' : 'file',
  }
  const unsafe = unsafeLink(path, after)
  if (unsafe !== undefined) return refuse(context, unsafe)
  if (before !== undefined && before.kind !== after.kind) {
    return refuse(context, `the name exists already, as ${kindNames[before.kind]}`)
  }
  if (before !== undefined && sameContent(before, after)) {
    if (mode === before.mode) return done(context, { before, alreadyApplied: true })
    overlay.write(path, after)
    return done(context, { before })
  }
  if (before !== undefined && before.bytes.length > 0) {
    return refuse(context, 'the file exists already with another content')
  }
  const hunks = yield* placeHunks(fileText('', options.work), file.hunks, options.place)
  overlay.write(path, after)
  return done(context, { hunks, before })
}

const kindNames = {
  file: 'a regular file',
  symlink: 'a symbolic link',
  other: 'a directory or a device',
} as const

const sameContent = (a: FileState, b: FileState): boolean =>
  a.kind === b.kind && Buffer.from(a.bytes).equals(b.bytes)
