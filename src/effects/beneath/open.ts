import { closeSync, constants, fstatSync, lstatSync, openSync, type Dirent, type Stats } from 'node:fs'
import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'

/**
 * Files in folders that somebody else writes to: the build user's trees, downloads and caches, or a tree that a
 * patch is applied to. A path there proves nothing, for any of its parts may become a symbolic link at any
 * moment. So each part is opened by its name beneath the folder that is open already, and never followed where
 * it is a link. Node has no openat(2); `/proc/self/fd/N/name` is the same thing (proc_pid_fd(5)).
 *
 * All functions take the folder whose own place nobody else can change (its own path may be a link), and a
 * relative path below it.
 */

/** O_PATH of open(2): a handle that names the file without opening it, so no FIFO or device notices. */
const pathOnly = 0o10_000_000
export const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
export const nodeFlags = pathOnly | constants.O_NOFOLLOW
/** What became of the last part of a path. */
export type KindBeneath = 'file' | 'folder' | 'link' | 'other'

export interface EntryBeneath {
  readonly name: string
  readonly kind: KindBeneath
}

/** The path of an entry of an open folder. */
export function at(folder: number, name: string): string
export function at(folder: number, name: Buffer): Buffer
export function at(folder: number, name: string | Buffer): string | Buffer {
  const above = `/proc/self/fd/${folder}`
  if (typeof name === 'string') return `${above}/${name}`
  return Buffer.concat([Buffer.from(`${above}/`), name])
}

/** @throws TypeError for a path that is absolute or goes up: that is a bug of the caller */
export function partsOf(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (path.startsWith('/') || path.includes('\0') || parts.includes('..')) {
    throw new TypeError(`${JSON.stringify(path)} does not stay below its folder`)
  }
  return parts
}

export const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  codes.includes((error as NodeJS.ErrnoException).code ?? '')

function refusal(root: string, path: string, what: string): Error {
  return buildError('E_UNSAFE_PATH', `${join(root, path)} is ${what}`, {
    hint: 'fwbuild touches nothing through it, since whoever writes to that folder could lead it elsewhere; remove it and run the same command again',
  })
}

/** Why a part of a path can't be entered. */
export function barred(root: string, path: string, folder: number, name: string): Error {
  const stats = lstatSync(at(folder, name), { throwIfNoEntry: false })
  return refusal(
    root,
    path,
    stats?.isSymbolicLink() === true ? 'a symbolic link where a folder is expected' : 'no folder',
  )
}

/**
 * Opens the folder at `path`.
 * @returns its file descriptor, undefined where it or a folder above it is absent
 * @throws build E_UNSAFE_PATH where a part is a link or no folder
 */
export function openFolder(root: string, path: string): number | undefined {
  let folder = openRoot(root)
  if (folder === undefined) return undefined
  const parts = partsOf(path)
  for (const [index, name] of parts.entries()) {
    const above = folder
    try {
      folder = openSync(at(above, name), folderFlags)
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined
      if (hasCode(error, 'ELOOP', 'ENOTDIR')) {
        throw barred(root, parts.slice(0, index + 1).join('/'), above, name)
      }
      throw error
    } finally {
      closeSync(above)
    }
  }
  return folder
}

/** The folder itself, whose path may be a link; undefined where it is absent. */
export function openRoot(root: string): number | undefined {
  try {
    return openSync(root, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Opens the folder above the last part of `path` and hands it and that part over. */
export function inParent<T>(
  root: string,
  path: string,
  absent: T,
  use: (folder: number, name: string) => T,
): T {
  const parts = partsOf(path)
  const name = parts.at(-1)
  if (name === undefined) throw new TypeError('the folder itself has no name below it')
  const folder = openFolder(root, parts.slice(0, -1).join('/'))
  if (folder === undefined) return absent
  try {
    return use(folder, name)
  } finally {
    closeSync(folder)
  }
}

/**
 * Opens a regular file for reading, without ever opening anything else.
 * @returns its file descriptor, which the caller closes; undefined where it is absent
 * @throws build E_UNSAFE_PATH for links, FIFOs, devices, sockets, folders
 */
export function openFile(root: string, path: string): number | undefined {
  return inParent<number | undefined>(root, path, undefined, (folder, name) => {
    let node: number
    try {
      node = openSync(at(folder, name), nodeFlags)
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined
      throw error
    }
    try {
      const stats = fstatSync(node)
      if (!stats.isFile()) throw refusal(root, path, `${kindWords[kindOf(stats)]} where a file is expected`)
      return openSync(`/proc/self/fd/${node}`, constants.O_RDONLY)
    } finally {
      closeSync(node)
    }
  })
}

const kindWords: Readonly<Record<KindBeneath, string>> = {
  file: 'a file',
  folder: 'a folder',
  link: 'a symbolic link',
  other: 'a FIFO, socket or device',
}

export function kindOf(stats: Stats | Dirent): KindBeneath {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'folder'
  return stats.isSymbolicLink() ? 'link' : 'other'
}

/** Only root can give files away, and only root's files need to be. */
export const isRoot = (): boolean => process.getuid?.() === 0
