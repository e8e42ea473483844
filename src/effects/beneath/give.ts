import {
  closeSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  openSync,
  readdirSync,
  statSync,
  type Stats,
} from 'node:fs'
import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import type { BuildUser } from '../engine.ts'
import { pacer } from '../pace.ts'
import {
  at,
  folderFlags,
  inParent,
  hasCode,
  isRoot,
  openFile,
  openFolder,
  openRoot,
  partsOf,
} from './open.ts'
import { statBeneath } from './read.ts'

/** Real trees are about 20 folders deep; each level costs the walk one open file. */
const maxDepth = 1000

/**
 * Gives what root owns at `path` and below it to the build user; does nothing for other callers, whose files are
 * their own already. Links are given away themselves. A file of root's with a second name stays root's, for
 * that name may stand elsewhere.
 * @param path '' for the folder itself
 * @throws build E_UNSAFE_PATH where a folder above it is a link, E_TOO_DEEP; cancelled
 */
export async function giveBeneath(
  root: string,
  path: string,
  user: BuildUser,
  signal?: AbortSignal,
): Promise<void> {
  if (!isRoot()) return
  const folder = partsOf(path).length === 0 ? openRoot(root) : openFolderOrGive(root, path, user)
  if (folder === undefined) return
  await giveFolder(join(root, path), folder, user, 0, pacer(signal))
}

/** The same for one file, link or folder itself, without what it holds. */
export function giveOneBeneath(root: string, path: string, user: BuildUser): void {
  if (!isRoot()) return
  const folder = partsOf(path).length === 0 ? openRoot(root) : openFolderOrGive(root, path, user)
  if (folder === undefined) return
  try {
    if (fstatSync(folder).uid === 0) fchownSync(folder, user.uid, user.gid)
  } finally {
    closeSync(folder)
  }
}

/**
 * Takes over a file that a program made as another user, and has it on the disk: fwbuild owns it from now on.
 * @throws build E_UNSAFE_PATH; E_FILE_MISSING; E_FILE_SHARED for a file with a second name
 */
export function ownBeneath(root: string, path: string): void {
  const file = openFile(root, path)
  if (file === undefined) throw buildError('E_FILE_MISSING', `${join(root, path)} does not exist`)
  try {
    if (fstatSync(file).nlink !== 1)
      throw buildError('E_FILE_SHARED', `${join(root, path)} has more names than one`)
    if (isRoot()) fchownSync(file, 0, 0)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/**
 * Makes root's again a folder that the build user owns, where root runs fwbuild in a folder that is not that
 * user's. A link that somebody else has put there stays what it is: the machine's owner may have.
 * @throws build E_UNSAFE_PATH for a link of the build user's
 */
export function takeBackBeneath(root: string, path: string, user: BuildUser): void {
  if (!isRoot() || statSync(root, { throwIfNoEntry: false })?.uid === user.uid) return
  if (statBeneath(root, path)?.uid !== user.uid) return
  const folder = openFolder(root, path)
  if (folder === undefined) return
  try {
    if (fstatSync(folder).uid === user.uid) fchownSync(folder, 0, 0)
  } finally {
    closeSync(folder)
  }
}

/** Gives away what is no folder; hands a folder over. */
function openFolderOrGive(root: string, path: string, user: BuildUser): number | undefined {
  return inParent<number | undefined>(root, path, undefined, (above, name) => {
    const stats = lstatSync(at(above, name), { throwIfNoEntry: false })
    if (stats?.isDirectory() === true) return openSync(at(above, name), folderFlags)
    if (stats !== undefined) giveEntry(at(above, name), stats, user)
    return undefined
  })
}

function giveEntry(path: string | Buffer, stats: Stats, user: BuildUser): void {
  if (stats.uid === 0 && stats.nlink === 1) lchownSync(path, user.uid, user.gid)
}

/** Closes `folder`. */
async function giveFolder(
  shown: string,
  folder: number,
  user: BuildUser,
  depth: number,
  pause: () => Promise<void>,
): Promise<void> {
  try {
    await pause()
    if (depth > maxDepth) {
      throw buildError('E_TOO_DEEP', `${shown} lies more than ${maxDepth} folders deep`)
    }
    if (fstatSync(folder).uid === 0) fchownSync(folder, user.uid, user.gid)
    for (const entry of readdirSync(`/proc/self/fd/${folder}`, { withFileTypes: true, encoding: 'buffer' })) {
      if (entry.isDirectory()) {
        const inner = openIfFolder(at(folder, entry.name))
        if (inner === undefined) continue
        await giveFolder(join(shown, entry.name.toString()), inner, user, depth + 1, pause)
      } else {
        const stats = lstatSync(at(folder, entry.name), { throwIfNoEntry: false })
        if (stats !== undefined) giveEntry(at(folder, entry.name), stats, user)
      }
    }
  } finally {
    closeSync(folder)
  }
}

/** undefined where something else was put there since the folder above was read: it is not root's. */
function openIfFolder(path: Buffer): number | undefined {
  try {
    return openSync(path, folderFlags)
  } catch (error) {
    if (hasCode(error, 'ELOOP', 'ENOTDIR', 'ENOENT')) return undefined
    throw error
  }
}
