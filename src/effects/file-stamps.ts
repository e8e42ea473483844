import { createHash } from 'node:crypto'
import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { cancelledError } from '../core/errors.ts'

/** Tells cheaply whether a file is still the one that was seen. */
export type FileStamp = { readonly name: string; readonly bytes: number; readonly mtimeMs: number }

/** The plain files of a folder (not below it) by name, hidden ones left out; empty where there is no folder. */
export async function stampFiles(folder: string): Promise<readonly FileStamp[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const names = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
  return Promise.all(
    names.sort().map(async (name) => {
      const { size, mtimeMs } = await stat(join(folder, name))
      return { name, bytes: size, mtimeMs }
    }),
  )
}

/** Whether every stamped file is still there, unchanged. */
export async function stampsHold(folder: string, stamps: readonly FileStamp[]): Promise<boolean> {
  const present = new Map((await stampFiles(folder)).map((stamp) => [stamp.name, stamp]))
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
