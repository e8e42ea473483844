import { lstatSync } from 'node:fs'
import type { FileState } from '../../core/patch/file-state.ts'
import { at } from '../beneath/open.ts'
import { kindBeneath } from '../beneath/read.ts'
import { nameOf, parentOf, type Folders } from '../beneath/folders.ts'
import { type Entry, type Journal, newId } from './journal.ts'

/**
 * What is to be done to make `files` of the tree what they should be.
 * @param place inodes of the tree and of the journal's folder
 * @throws build E_UNSAFE_PATH where a folder above a file is a link or no folder
 */
export async function planOf(
  root: string,
  folders: Folders,
  place: Journal['place'],
  files: ReadonlyMap<string, FileState | undefined>,
  pause: () => Promise<void>,
): Promise<Journal> {
  const known = new Map<string, boolean>([['', true]])
  const isGoing = (path: string): boolean => files.has(path) && files.get(path) === undefined
  const isFolder = (path: string): boolean => {
    const cached = known.get(path)
    if (cached !== undefined) return cached
    const kind = kindBeneath(root, path)
    // A file may make room for a folder of its name; else opening it tells what is wrong with it.
    if (kind !== 'folder' && kind !== undefined && !isGoing(path)) folders.open(path)
    known.set(path, kind === 'folder')
    return kind === 'folder'
  }
  const made = new Set<string>()
  const nearest = (path: string): string => {
    if (isFolder(path)) return path
    const above = nearest(parentOf(path))
    made.add(path)
    return above
  }
  const entryOf = (path: string, state: FileState | undefined): Entry => {
    const change = state === undefined ? 'delete' : 'write'
    const parent = parentOf(path)
    if (state === undefined && !isFolder(parent)) {
      return { path, change, wasThere: false, folder: '', inode: null }
    }
    const folder = nearest(parent)
    const stats =
      folder === parent
        ? lstatSync(at(folders.need(folder), nameOf(path)), { throwIfNoEntry: false })
        : undefined
    return { path, change, wasThere: stats !== undefined, folder, inode: null }
  }
  const entries: Entry[] = []
  for (const [path, state] of files) {
    entries.push(entryOf(path, state))
    await pause()
  }
  return { version: 1, id: newId(), place, entries, folders: [...made] }
}
