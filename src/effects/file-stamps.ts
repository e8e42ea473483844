import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

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
