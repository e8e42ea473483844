import { cp } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { cancelledError } from '../core/errors.ts'
import { giveBeneath } from './beneath/give.ts'
import type { BuildUser } from './engine.ts'
import { fileError, removeTree, systemError } from './files.ts'

export interface CopyTreeOptions {
  /** Base names that are left out. */
  readonly without: RegExp
  readonly owner: BuildUser
  readonly signal: AbortSignal
}

/**
 * Copies a tree of the user's to a place of fwbuild's own, times and links as they are, and gives it to the build
 * user; what lay there is replaced.
 * @throws infra E_DISK_FULL | E_FILE_WRITE | E_FILE, cancelled
 */
export async function copyTree(from: string, to: string, options: CopyTreeOptions): Promise<void> {
  const { without, owner, signal } = options
  await removeTree(to)
  try {
    await cp(from, to, {
      recursive: true,
      preserveTimestamps: true,
      // Else relative links would lead back into the user's tree.
      verbatimSymlinks: true,
      filter: (path) => !signal.aborted && (path === from || !without.test(basename(path))),
    })
  } catch (error) {
    throw systemError(fileError(to, error))
  }
  if (signal.aborted) throw cancelledError()
  await giveBeneath(dirname(to), basename(to), owner, signal)
}
