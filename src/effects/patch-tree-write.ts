import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { type FwbuildError, infraError, messageOf } from '../core/errors.ts'
import { executableMode, type FileState } from '../core/patch/file-state.ts'
import { lstatOrUndefined } from './patch-tree.ts'

/** What has to be done to take back what was done so far, latest last. */
type Undo = (() => void)[]

/**
 * Writes the result of a patch: all of it, or nothing when any part of it fails (read-only directory,
 * full disk). New contents are written beside their targets first, then renamed; permission bits and,
 * where this user may, owners stay. Directories that deletions leave empty go, as with git.
 * @param root real path of the tree
 * @param files new states by path relative to the tree; undefined deletes
 * @throws infra E_DISK_FULL | E_TREE_WRITE, with the tree as it was
 */
export function writeTree(root: string, files: ReadonlyMap<string, FileState | undefined>): void {
  const undo: Undo = []
  const backups: string[] = []
  try {
    const staged = [...files].map(([path, state]) => stage(root, path, state, undo))
    // Deletions go first: a file may have to make room for a directory of its name.
    for (const { target, temporary } of staged) {
      if (temporary === undefined) setAside(target, undo, backups)
    }
    for (const { target, temporary } of staged) {
      if (temporary === undefined) continue
      makeDirectories(root, dirname(target), undo)
      if (lstatOrUndefined(target) === undefined) undo.push(() => removeIfThere(target))
      else keepCopy(target, undo, backups)
      renameSync(temporary, target)
    }
  } catch (error) {
    const left = undo.reverse().flatMap(attempt)
    throw writeFailure(root, error, left)
  }
  for (const backup of backups) attempt(() => unlinkSync(backup))
  for (const [path, state] of files) if (state === undefined) removeEmptyParents(root, path)
}

interface Staged {
  readonly target: string
  /** undefined where the target is to be deleted. */
  readonly temporary: string | undefined
}

function stage(root: string, path: string, state: FileState | undefined, undo: Undo): Staged {
  const target = join(root, path)
  checkParents(root, path)
  if (state === undefined) return { target, temporary: undefined }
  const temporary = temporaryName(nearestDirectory(root, path))
  undo.push(() => removeIfThere(temporary))
  const old = lstatOrUndefined(target)
  if (state.kind === 'symlink') {
    symlinkSync(Buffer.from(state.bytes), temporary)
  } else {
    writeFileSync(temporary, state.bytes, { flag: 'wx', mode: state.mode === executableMode ? 0o777 : 0o666 })
    if (old?.isFile() === true) keepAttributes(temporary, old, state.mode)
  }
  return { target, temporary }
}

/** Permission bits of the old file; only the executable bits follow the patch. */
function keepAttributes(file: string, old: Stats, mode: number): void {
  const bits = old.mode & 0o777
  const wasExecutable = (bits & 0o100) !== 0
  const isExecutable = mode === executableMode
  const wanted =
    wasExecutable === isExecutable ? bits : isExecutable ? bits | ((bits & 0o444) >> 2) : bits & ~0o111
  const { uid, gid } = lstatOrUndefined(file) ?? old
  // Another's file that this user may replace but not give away becomes his, as with every editor.
  if (uid !== old.uid || gid !== old.gid) attempt(() => chownSync(file, old.uid, old.gid))
  chmodSync(file, wanted)
}

/** The engine looked before; a symbolic link that came since must not be followed either. */
function checkParents(root: string, path: string): void {
  const parents = path.split('/').slice(0, -1)
  for (const [at] of parents.entries()) {
    const directory = join(root, ...parents.slice(0, at + 1))
    if (lstatOrUndefined(directory)?.isSymbolicLink() === true) {
      throw new Error(`${directory} is a symbolic link`)
    }
  }
}

/** Below a name that is no directory yet there is nowhere to put a file. */
function nearestDirectory(root: string, path: string): string {
  const parent = dirname(path)
  if (parent === '.') return root
  const directory = join(root, parent)
  return lstatOrUndefined(directory)?.isDirectory() === true ? directory : nearestDirectory(root, parent)
}

const temporaryName = (directory: string): string =>
  join(directory, `.fwbuild-${randomBytes(8).toString('hex')}.tmp`)

function setAside(target: string, undo: Undo, backups: string[]): void {
  const backup = temporaryName(dirname(target))
  renameSync(target, backup)
  undo.push(() => renameSync(backup, target))
  backups.push(backup)
}

/** A second name for the old file where links are possible, so that the target is there at all times. */
function keepCopy(target: string, undo: Undo, backups: string[]): void {
  const backup = temporaryName(dirname(target))
  try {
    linkSync(target, backup)
  } catch {
    setAside(target, undo, backups)
    return
  }
  undo.push(() => {
    renameSync(backup, target)
    // Two names of one file: then renaming does nothing.
    removeIfThere(backup)
  })
  backups.push(backup)
}

function makeDirectories(root: string, directory: string, undo: Undo): void {
  if (directory === root) return
  if (lstatOrUndefined(directory)?.isDirectory() === true) return
  makeDirectories(root, dirname(directory), undo)
  mkdirSync(directory)
  undo.push(() => rmdirSync(directory))
}

function removeIfThere(file: string): void {
  if (lstatOrUndefined(file) !== undefined) unlinkSync(file)
}

function removeEmptyParents(root: string, path: string): void {
  for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
    if (attempt(() => rmdirSync(join(root, parent))).length > 0) return
  }
}

/** Runs what must not hide or prevent anything else; the errors as text. */
function attempt(action: () => void): string[] {
  try {
    action()
    return []
  } catch (error) {
    return [messageOf(error)]
  }
}

function writeFailure(root: string, cause: unknown, left: readonly string[]): FwbuildError {
  const code = (cause as NodeJS.ErrnoException).code
  const full = code === 'ENOSPC' || code === 'EDQUOT'
  const reason = full ? `no space left in ${root}` : `${root} cannot be written: ${messageOf(cause)}`
  const hint =
    left.length === 0
      ? 'nothing was changed'
      : `the tree could not be put back as it was:\n${left.join('\n')}`
  return infraError(full ? 'E_DISK_FULL' : 'E_TREE_WRITE', reason, { cause, hint })
}
