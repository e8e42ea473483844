import { closeSync, openSync } from 'node:fs'
import { at, barred, folderFlags, hasCode, openRoot } from './open.ts'

export interface Folders extends Disposable {
  /**
   * The folder at a path of the tree ('' for the tree), opened part by part. It stays open for some time, the caller
   * does not close it.
   * @returns undefined where it or one above it is absent
   * @throws build E_UNSAFE_PATH where a part is a link or no folder
   */
  readonly open: (path: string) => number | undefined
  /** @throws Error where it is absent */
  readonly need: (path: string) => number
}

/** Work mostly goes folder by folder, and looks at those above. */
const maxOpen = 32

/** Folders of a tree that is read or changed in many places: those used last stay open. */
export function foldersOf(root: string): Folders {
  const opened = new Map<string, number>()
  const keep = (path: string, folder: number): number => {
    opened.delete(path)
    opened.set(path, folder)
    const [oldest] = opened
    if (oldest !== undefined && opened.size > maxOpen) {
      opened.delete(oldest[0])
      closeSync(oldest[1])
    }
    return folder
  }
  const open = (path: string): number | undefined => {
    const known = opened.get(path)
    if (known !== undefined) return keep(path, known)
    const above = path === '' ? undefined : open(parentOf(path))
    if (path !== '' && above === undefined) return undefined
    const folder = above === undefined ? openRoot(root) : openIn(root, path, above)
    return folder === undefined ? undefined : keep(path, folder)
  }
  return {
    open,
    need: (path) => {
      const folder = open(path)
      if (folder === undefined) throw new Error(`${path} is gone`)
      return folder
    },
    [Symbol.dispose]: () => {
      for (const folder of opened.values()) closeSync(folder)
      opened.clear()
    },
  }
}

function openIn(root: string, path: string, above: number): number | undefined {
  try {
    return openSync(at(above, nameOf(path)), folderFlags)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw hasCode(error, 'ELOOP', 'ENOTDIR') ? barred(root, path, above, nameOf(path)) : error
  }
}

/** '' for what lies at the top. */
export const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0))
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
