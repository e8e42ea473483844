import { lstatSync, readFileSync, readlinkSync, realpathSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { infraError, messageOf, usageError } from '../core/errors.ts'
import {
  executableMode,
  type FileState,
  type ReadFile,
  regularMode,
  symlinkMode,
} from '../core/patch/file-state.ts'

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
 * @throws infra E_TREE_READ for what is there but can not be read
 */
export function treeReader(root: string): ReadFile {
  const directories = new Map<string, boolean>()
  const isDirectory = (path: string): boolean => {
    if (path === '') return true
    const known = directories.get(path)
    if (known !== undefined) return known
    const result = isDirectory(parentOf(path)) && (lstatOrUndefined(join(root, path))?.isDirectory() ?? false)
    directories.set(path, result)
    return result
  }
  return (path) => {
    if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) return undefined
    return isDirectory(parentOf(path)) ? readState(join(root, path)) : undefined
  }
}

const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0))

const noBytes = new Uint8Array()

function readState(file: string): FileState | undefined {
  const stats = lstatOrUndefined(file)
  if (stats === undefined) return undefined
  if (stats.isSymbolicLink()) {
    const bytes = reading(file, () => readlinkSync(file, { encoding: 'buffer' }))
    return { kind: 'symlink', mode: symlinkMode, bytes }
  }
  if (!stats.isFile()) return { kind: 'other', mode: 0, bytes: noBytes }
  if (stats.size > maxFileBytes) {
    throw infraError('E_TREE_READ', `${file} is too large for a patch (${stats.size} bytes)`)
  }
  const mode = (stats.mode & 0o100) === 0 ? regularMode : executableMode
  return { kind: 'file', mode, bytes: reading(file, () => readFileSync(file)) }
}

/** @throws infra E_TREE_READ when the name can not be looked up */
export function lstatOrUndefined(file: string): Stats | undefined {
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
    throw unreadable(file, error)
  }
}

const unreadable = (file: string, cause: unknown): Error =>
  infraError('E_TREE_READ', `${file} cannot be read: ${messageOf(cause)}`, { cause })
