import { buildError } from '../../core/errors.ts'
import { lockedCommit, type Lockfile } from '../../core/spec/lockfile.ts'
import { readTextBeneath } from '../../effects/beneath/read.ts'
import { buildrootFile, miniRepositoryOf, type OpenwrtContext } from './context.ts'

/** Pins of what this build used. */
export async function lockOf(context: OpenwrtContext): Promise<Lockfile> {
  const { spec, found } = context
  return {
    version: 1,
    release: spec.release.name,
    sources: found.sources.map(({ location, ref, commit }) => ({
      location: lockName(context, location),
      ref,
      commit,
    })),
    patches: found.patches.map(({ name, sha256 }) => ({ name, sha256 })),
    buildroot: await usedBuildroot(context),
  }
}

const miniName = 'fwbuild:mini'

/** The miniature's repository lies in the work directory; its commits are the same on every machine. */
const lockName = (context: OpenwrtContext, location: string): string =>
  location === miniRepositoryOf(context) ? miniName : location

/** Commit that the lock file pins for a source. */
export const pinnedCommit = (context: OpenwrtContext, location: string, ref: string): string | undefined =>
  lockedCommit(context.lock, lockName(context, location), ref)

/** The image of the last session, which a run without a session of its own did not see. */
export async function usedBuildroot(context: OpenwrtContext): Promise<Lockfile['buildroot']> {
  const text = readTextBeneath(context.stateDir, buildrootFile, 4096)
  return text === undefined ? null : (JSON.parse(text) as Lockfile['buildroot'])
}

/** @throws build error when a patch is not the one that the lock file pins */
export function checkLockedPatches(
  lock: Pick<Lockfile, 'patches'> | undefined,
  patches: readonly { readonly name: string; readonly sha256: string }[],
): void {
  if (lock === undefined) return
  const pinned = new Map(lock.patches.map(({ name, sha256 }) => [name, sha256]))
  const changed = patches.filter(({ name, sha256 }) => pinned.get(name) !== sha256)
  if (changed.length === 0 && pinned.size === patches.length) return
  const names = changed.length > 0 ? changed.map(({ name }) => name) : [...pinned.keys()]
  throw buildError('E_LOCK_PATCHES', `the patches are not those of the lock file: ${names.join(', ')}`, {
    hint: 'renew the pins (fwbuild lock --update), or leave the lock file out',
  })
}
