import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import type { BuildUser } from '../engine.ts'
import { fileError } from '../files.ts'
import { at, barred, folderFlags, inParent, hasCode, isRoot, openRoot, partsOf } from './open.ts'

export interface WriteOptions {
  /** Permission bits, whatever the umask is; default 0644, for folders 0755. */
  readonly mode?: number
  /** Where root runs fwbuild: who gets what is made. */
  readonly owner?: BuildUser
}

/**
 * Writes a whole file: a reader, or a crash, sees the old content or the new. What stood there is replaced, a
 * link itself and not what it points to. Missing folders are made.
 * @throws build E_UNSAFE_PATH where a folder above it is a link; infra E_DISK_FULL | E_FILE_WRITE
 */
export function writeBeneath(
  root: string,
  path: string,
  content: string | Uint8Array,
  options: WriteOptions = {},
): void {
  const parts = partsOf(path)
  makeFolderBeneath(root, parts.slice(0, -1).join('/'), ownerOnly(options))
  try {
    inParent(root, path, undefined, (folder, name) => {
      const temporary = at(folder, `.${randomBytes(8).toString('hex')}.tmp`)
      try {
        writeNew(temporary, content, options)
        renameSync(temporary, at(folder, name))
      } catch (error) {
        unlinkIfThere(temporary)
        throw error
      }
      fsyncSync(folder)
    })
  } catch (error) {
    throw fileError(join(root, path), error)
  }
}

const ownerOnly = ({ owner }: WriteOptions): WriteOptions => (owner === undefined ? {} : { owner })

function writeNew(path: string, content: string | Uint8Array, { mode = 0o644, owner }: WriteOptions): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const file = openSync(path, flags, 0o600)
  try {
    writeFileSync(file, content)
    if (owner !== undefined && isRoot()) fchownSync(file, owner.uid, owner.gid)
    fchmodSync(file, mode)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Absent is what was wanted, and nothing may hide the first error.
  }
}

/**
 * Makes a folder with those above it; what is there stays as it is.
 * @throws build E_UNSAFE_PATH where a part is a link or no folder
 */
export function makeFolderBeneath(root: string, path: string, options: WriteOptions = {}): void {
  let folder = openRoot(root)
  if (folder === undefined) throw buildError('E_FILE_MISSING', `${root} does not exist`)
  const parts = partsOf(path)
  try {
    for (const [index, name] of parts.entries()) {
      const above: number = folder
      folder = enterOrMake(above, name, options, () =>
        barred(root, parts.slice(0, index + 1).join('/'), above, name),
      )
      closeSync(above)
    }
  } finally {
    closeSync(folder)
  }
}

function enterOrMake(above: number, name: string, options: WriteOptions, refuse: () => Error): number {
  const path = at(above, name)
  let isNew = false
  try {
    mkdirSync(path, 0o700)
    isNew = true
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  }
  let folder: number
  try {
    folder = openSync(path, folderFlags)
  } catch (error) {
    throw hasCode(error, 'ELOOP', 'ENOTDIR') ? refuse() : error
  }
  if (!isNew) return folder
  if (options.owner !== undefined && isRoot()) fchownSync(folder, options.owner.uid, options.owner.gid)
  fchmodSync(folder, options.mode ?? 0o755)
  return folder
}

/**
 * Makes a symbolic link, which only others follow; nothing may stand there.
 * @param target as it is written into the link
 * @throws build E_UNSAFE_PATH where a folder above it is a link
 */
export function linkBeneath(root: string, path: string, target: string, { owner }: WriteOptions = {}): void {
  inParent(root, path, undefined, (folder, name) => {
    symlinkSync(target, at(folder, name))
    if (owner !== undefined && isRoot()) lchownSync(at(folder, name), owner.uid, owner.gid)
  })
}

/**
 * Moves a file or folder within `root`; what stands at `to` is replaced as rename(2) does.
 * @returns false where there is nothing at `from`
 * @throws build E_UNSAFE_PATH where a folder above either is a link
 */
export function renameBeneath(root: string, from: string, to: string): boolean {
  return inParent(root, from, false, (fromFolder, fromName) =>
    inParent(root, to, false, (toFolder, toName) => {
      if (lstatSync(at(fromFolder, fromName), { throwIfNoEntry: false }) === undefined) return false
      renameSync(at(fromFolder, fromName), at(toFolder, toName))
      return true
    }),
  )
}
