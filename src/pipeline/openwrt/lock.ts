import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import { canonicalJson } from '../../core/json.ts'
import type { Lockfile } from '../../core/spec/lockfile.ts'
import { atomicWrite } from '../../effects/files.ts'
import type { OpenwrtContext } from './context.ts'

/** Pins of what this build used. */
export async function lockOf(context: OpenwrtContext, stateDir: string): Promise<Lockfile> {
  const { spec, found } = context
  return {
    version: 1,
    release: spec.release.name,
    sources: found.sources.map(({ location, ref, commit }) => ({ location, ref, commit })),
    patches: found.patches.map(({ name, sha256 }) => ({ name, sha256 })),
    buildroot: await usedBuildroot(context, stateDir),
  }
}

/** Known to the run that opened a session; later runs read it from where that run kept it. */
export async function usedBuildroot(
  context: OpenwrtContext,
  stateDir: string,
): Promise<Lockfile['buildroot']> {
  const file = join(stateDir, 'buildroot.json')
  if (context.found.buildroot !== undefined) {
    const { image, id } = context.found.buildroot
    await atomicWrite(file, canonicalJson({ image, id }))
    return { image, id }
  }
  return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Lockfile['buildroot']) : null
}

/** @throws build error when a patch is not the one that the lock file pins */
export function checkLockedPatches(
  lock: Lockfile | undefined,
  patches: readonly { readonly name: string; readonly sha256: string }[],
): void {
  if (lock === undefined) return
  const pinned = new Map(lock.patches.map(({ name, sha256 }) => [name, sha256]))
  const changed = patches.filter(({ name, sha256 }) => pinned.get(name) !== sha256)
  if (changed.length === 0 && pinned.size === patches.length) return
  const names = changed.length > 0 ? changed.map(({ name }) => name) : [...pinned.keys()]
  throw buildError('E_LOCK_PATCHES', `the patches are not those of the lock file: ${names.join(', ')}`, {
    hint: 'fwbuild lock --update pins them as they are now',
  })
}
