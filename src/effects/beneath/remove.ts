import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs'
import { pacer } from '../pace.ts'
import { at, hasCode, isRoot, nodeFlags, openFolder, partsOf } from './open.ts'

/**
 * Removes a file, a link itself, or a folder with all below it, also where folders are read-only; absent is
 * fine. Folders are first moved to the top of what is removed, so any depth takes few open files.
 * @throws build E_UNSAFE_PATH where a folder above it is a link; cancelled
 */
export async function removeBeneath(root: string, path: string, signal?: AbortSignal): Promise<void> {
  const parts = partsOf(path)
  const name = parts.at(-1)
  if (name === undefined) throw new TypeError('the folder itself is not removed')
  const folder = openFolder(root, parts.slice(0, -1).join('/'))
  if (folder === undefined) return
  try {
    await removeEntry(folder, name, pacer(signal))
  } finally {
    closeSync(folder)
  }
}

async function removeEntry(above: number, name: string, pause: () => Promise<void>): Promise<void> {
  const top = openToEmpty(above, name)
  if (top === undefined) return
  try {
    const prefix = `.${randomBytes(8).toString('hex')}-`
    let moved = emptyInto(top, top, prefix, 0)
    for (let next = 0; next < moved; next += 1) {
      await pause()
      const inner = openToEmpty(top, `${prefix}${next}`)
      if (inner === undefined) continue
      try {
        moved = emptyInto(inner, top, prefix, moved)
      } finally {
        closeSync(inner)
      }
      rmdirSync(at(top, `${prefix}${next}`))
    }
  } finally {
    closeSync(top)
  }
  rmdirSync(at(above, name))
}

/** Opens a folder, also one that is closed to its own owner; removes what is none, then or when absent undefined. */
function openToEmpty(above: number, name: string | Buffer): number | undefined {
  const path = typeof name === 'string' ? at(above, name) : at(above, name)
  let node: number
  try {
    node = openSync(path, nodeFlags | constants.O_DIRECTORY)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    if (!hasCode(error, 'ENOTDIR', 'ELOOP')) throw error
    unlinkSync(path)
    return undefined
  }
  try {
    const stats = fstatSync(node)
    if (!isRoot() && (stats.mode & 0o700) !== 0o700) chmodSync(`/proc/self/fd/${node}`, 0o700)
    return openSync(`/proc/self/fd/${node}`, constants.O_RDONLY | constants.O_DIRECTORY)
  } finally {
    closeSync(node)
  }
}

/** Removes what a folder holds; folders in it are moved to `top` under the next numbers. */
function emptyInto(folder: number, top: number, prefix: string, moved: number): number {
  let next = moved
  // Names are bytes: those that are no UTF-8 have to go too.
  const entries = readdirSync(`/proc/self/fd/${folder}`, { withFileTypes: true, encoding: 'buffer' })
  for (const entry of entries) {
    if (!entry.isDirectory()) {
      unlinkSync(at(folder, entry.name))
      continue
    }
    // Moving a folder writes its `..`, for which its owner needs write permission.
    if (!isRoot()) {
      const opened = openToEmpty(folder, entry.name)
      if (opened === undefined) continue
      closeSync(opened)
    }
    renameSync(at(folder, entry.name), at(top, `${prefix}${next}`))
    next += 1
  }
  return next
}
