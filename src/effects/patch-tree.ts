import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  type Stats,
} from 'node:fs'
import { join } from 'node:path'
import { FwbuildError, infraError, messageOf, usageError } from '../core/errors.ts'
import {
  executableMode,
  type FileState,
  type ReadFile,
  regularMode,
  symlinkMode,
} from '../core/patch/file-state.ts'
import { type Folders, foldersOf, nameOf, parentOf } from './beneath/folders.ts'
import { at, hasCode } from './beneath/open.ts'

/** Larger files are no source text, and a JavaScript string can not hold much more. */
const maxFileBytes = 256 * 1024 * 1024

/**
 * Opens a directory as the tree that a patch is for.
 * @returns its real path
 * @throws usage E_TREE_MISSING
 */
export function openTree(directory: string): string {
  const stats = lstatOrUndefined(directory)
  const real = stats === undefined ? undefined : realpathSync(directory)
  if (real !== undefined && lstatSync(real).isDirectory()) return real
  throw usageError('E_TREE_MISSING', `${directory} is not a directory`, {
    hint: 'name the tree with --tree DIR',
  })
}

/**
 * Reads names of a tree for the patch engine. Symbolic links are never followed, neither the last
 * component nor those ahead of it: what lies behind one counts as not there.
 * @param root real path of the tree
 * @param folders of the same tree, for whoever reads much of it
 * @throws infra E_TREE_READ for what is there but can not be read
 */
export function treeReader(root: string, folders?: Folders): ReadFile {
  const absent = new Set<string>()
  const readIn = (opened: Folders, path: string): FileState | undefined => {
    const parent = parentOf(path)
    const folder = reading(join(root, parent), () => folderAt(opened, parent))
    if (folder !== undefined)
      return reading(join(root, path), () => readState(folder, nameOf(path), join(root, path)))
    absent.add(parent)
    return undefined
  }
  return (path) => {
    const parts = path.split('/')
    if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0')))
      return undefined
    if (absent.has(parentOf(path))) return undefined
    if (folders !== undefined) return readIn(folders, path)
    using own = foldersOf(root)
    return readIn(own, path)
  }
}

function folderAt(folders: Folders, path: string): number | undefined {
  try {
    return folders.open(path)
  } catch (error) {
    if (hasCode(error, 'E_UNSAFE_PATH', 'ENAMETOOLONG')) return undefined
    throw error
  }
}

const noBytes = new Uint8Array()

function readState(folder: number, name: string, shown: string): FileState | undefined {
  const path = at(folder, name)
  const stats = lstatOrUndefined(path)
  if (stats === undefined) return undefined
  if (stats.isSymbolicLink()) {
    return { kind: 'symlink', mode: symlinkMode, bytes: readlinkSync(path, { encoding: 'buffer' }) }
  }
  if (!stats.isFile()) return { kind: 'other', mode: 0, bytes: noBytes }
  // What took the file's place since is not followed, waited for or read.
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const now = fstatSync(file)
    if (!now.isFile()) return { kind: 'other', mode: 0, bytes: noBytes }
    if (now.size > maxFileBytes) {
      throw infraError('E_TREE_READ', `${shown} is too large for a patch (${now.size} bytes)`)
    }
    return {
      kind: 'file',
      mode: (now.mode & 0o100) === 0 ? regularMode : executableMode,
      bytes: readFileSync(file),
    }
  } finally {
    closeSync(file)
  }
}

/** @throws infra E_TREE_READ when the name can not be looked up */
function lstatOrUndefined(file: string): Stats | undefined {
  try {
    return lstatSync(file)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    // A name too long for the file system is not there either.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined
    throw unreadable(file, error)
  }
}

function reading<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof FwbuildError ? error : unreadable(file, error)
  }
}

const unreadable = (file: string, cause: unknown): Error =>
  infraError('E_TREE_READ', `${file} cannot be read: ${messageOf(cause)}`, { cause })
