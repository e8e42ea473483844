import { createHash } from 'node:crypto'
import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cancelledError } from '../core/errors.ts'
import { listBeneath, statBeneath } from './beneath/read.ts'

/** Tells cheaply whether a file is still the one that was seen. */
export type FileStamp = { readonly name: string; readonly bytes: number; readonly mtimeMs: number }

/**
 * The plain files of a folder (not below it) by name, hidden ones left out; empty where there is no folder.
 * @param path of the folder below `root`, which builds may write to: no link is followed
 */
export async function stampFiles(root: string, path = ''): Promise<readonly FileStamp[]> {
  return listBeneath(root, path).flatMap(({ name, kind }) => {
    if (kind !== 'file' || name.startsWith('.')) return []
    const stats = statBeneath(root, path === '' ? name : `${path}/${name}`)
    return stats?.isFile() === true ? [{ name, bytes: stats.size, mtimeMs: stats.mtimeMs }] : []
  })
}

/** Whether every stamped file is still there, unchanged. */
export async function stampsHold(root: string, stamps: readonly FileStamp[], path = ''): Promise<boolean> {
  const present = new Map((await stampFiles(root, path)).map((stamp) => [stamp.name, stamp]))
  return stamps.every(({ name, bytes, mtimeMs }) => {
    const found = present.get(name)
    return found?.bytes === bytes && found.mtimeMs === mtimeMs
  })
}

/** Digest of names, sizes and times of all files below a folder, `.git` left out: tells whether any changed. */
export async function treeStamp(folder: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  const visit = async (path: string): Promise<void> => {
    if (signal.aborted) throw cancelledError()
    const entries = await readdir(join(folder, path), { withFileTypes: true })
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = path === '' ? entry.name : `${path}/${entry.name}`
      if (entry.name === '.git') continue
      if (entry.isDirectory()) await visit(name)
      else {
        const { size, mtimeMs } = await lstat(join(folder, name))
        hash.update(`${name}\0${size}\0${mtimeMs}\n`)
      }
    }
  }
  await visit('')
  return hash.digest('hex').slice(0, 16)
}

/** sha256 over names and contents of all files below a folder that is fwbuild's own. */
export async function contentDigest(folder: string): Promise<string> {
  const hash = createHash('sha256')
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  for (const file of files.sort()) hash.update(`${file.slice(folder.length)}\0`).update(await readFile(file))
  return hash.digest('hex')
}
