import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pathWord } from '../core/path-word.ts'
import { copyBeneath } from './beneath/copy.ts'
import { sha256File } from './files.ts'

/**
 * Archives that builds take, in folders named by their sha256. Builds see the store, but cannot write to it; so
 * what was verified once is what is unpacked.
 */
export interface Archive {
  readonly sha256: string
  /** Without a folder. */
  readonly name: string
}

const pathOf = (store: string, { sha256, name }: Archive): string => join(store, sha256, name)

/** A kernel source has 170 MB, unpacked 1.8 GB. */
const maxBytes = 8 * 1024 ** 3

/**
 * Copies a file into the store; it may lie in a folder that builds write to.
 * @param root a folder in whose own place nobody but fwbuild can put another
 * @param path of the file below it; no link is followed
 * @returns path in the store, and what identifies the file there
 * @throws build E_FOREIGN_NAME | E_UNSAFE_PATH; infra E_DISK_FULL | E_FILE_WRITE; cancelled
 */
export async function storeArchive(
  store: string,
  root: string,
  path: string,
  signal: AbortSignal,
): Promise<Archive & { readonly path: string }> {
  const name = pathWord('the archive name', basename(path))
  const incoming = join(store, `incoming-${randomBytes(8).toString('hex')}`)
  try {
    const { sha256 } = await copyBeneath(root, path, incoming, { maxBytes, signal })
    const target = pathOf(store, { sha256, name })
    await mkdir(dirname(target), { recursive: true })
    await rename(incoming, target)
    return { sha256, name, path: target }
  } finally {
    await rm(incoming, { force: true })
  }
}

/** The same for a file of the user's, which may be reached by links. */
export async function storeOwnFile(
  store: string,
  path: string,
  signal: AbortSignal,
): Promise<Archive & { readonly path: string }> {
  const real = await realpath(path)
  return storeArchive(store, dirname(real), basename(real), signal)
}

/** Path of an archive in the store, looked through anew; undefined where it is absent or was changed. */
export async function archiveIn(
  store: string,
  archive: Archive,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = pathOf(store, archive)
  if (!existsSync(path)) return undefined
  return (await sha256File(path, { signal })) === archive.sha256 ? path : undefined
}
