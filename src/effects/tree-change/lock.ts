import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { infraError } from '../../core/errors.ts'
import { journalFolder } from '../../core/patch/unsafe-name.ts'
import { at, folderFlags, hasCode, openRoot } from '../beneath/open.ts'
import { takeLock } from '../work-lock.ts'
import { phases, unusable } from './journal.ts'

/** The folder of lock and journal in a tree, held by this process alone. */
export interface HeldFolder extends AsyncDisposable {
  /** Open folder of the tree. */
  readonly tree: number
  /** Open folder of lock and journal. */
  readonly folder: number
  /** How people find it. */
  readonly shown: string
}

/**
 * Makes the folder of lock and journal and takes the lock. Letting go removes both, unless a journal is left.
 * @param root real path of the tree
 * @returns undefined where this user can not write to the tree
 * @throws infra E_TREE_LOCKED that names the process that has it; E_TREE_JOURNAL
 */
export async function holdFolder(root: string, command: string): Promise<HeldFolder | undefined> {
  const tree = openRoot(root)
  if (tree === undefined) throw infraError('E_TREE_READ', `${root} is gone`)
  let folder: number | undefined
  try {
    for (;;) {
      folder = openOrMake(tree, join(root, journalFolder))
      if (folder === undefined) break
      const lock = await lockIn(folder, root, command)
      if (lock !== undefined) return held(root, tree, folder, lock)
      closeSync(folder)
      folder = undefined
    }
  } catch (error) {
    if (folder !== undefined) closeSync(folder)
    closeSync(tree)
    throw error
  }
  closeSync(tree)
  return undefined
}

function openOrMake(tree: number, shown: string): number | undefined {
  const path = at(tree, journalFolder)
  try {
    mkdirSync(path, 0o700)
  } catch (error) {
    if (hasCode(error, 'EACCES', 'EROFS', 'EPERM')) return undefined
    if (!hasCode(error, 'EEXIST')) throw error
  }
  let folder: number
  try {
    folder = openSync(path, folderFlags)
  } catch (error) {
    throw hasCode(error, 'ELOOP', 'ENOTDIR') ? unusable(shown, 'it is no folder') : error
  }
  if (fstatSync(folder).uid === process.geteuid?.()) return folder
  closeSync(folder)
  throw unusable(shown, 'it belongs to another user')
}

/** @returns undefined where the one that had the folder removed it just now */
async function lockIn(folder: number, root: string, command: string): Promise<AsyncDisposable | undefined> {
  try {
    const taken = await takeLock(`/proc/self/fd/${folder}/lock`, command)
    if ('lock' in taken) return taken.lock
    const { pid, host, since, command: theirs } = taken.holder
    throw infraError('E_TREE_LOCKED', `${root} is being changed by process ${pid} on ${host}`, {
      retryable: true,
      hint: `it runs ‘${theirs}’ since ${since}; wait for it or stop it`,
    })
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

const held = (root: string, tree: number, folder: number, lock: AsyncDisposable): HeldFolder => ({
  tree,
  folder,
  shown: join(root, journalFolder),
  [Symbol.asyncDispose]: async () => {
    const names = readdirSync(`/proc/self/fd/${folder}`)
    const isLeft = phases.some((phase) => names.includes(phase))
    for (const name of names) if (!isLeft && name !== 'lock') unlinkIn(folder, name)
    await lock[Symbol.asyncDispose]()
    if (!isLeft) removeFolder(tree)
    closeSync(folder)
    closeSync(tree)
  },
})

/** What a process that was killed while it took the lock has left, or one that waits for it: that one tries again. */
function unlinkIn(folder: number, name: string): void {
  try {
    unlinkSync(at(folder, name))
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}

/** Whoever waited for the lock may have it now. */
function removeFolder(tree: number): void {
  try {
    rmdirSync(at(tree, journalFolder))
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error
  }
}
