import { usageError } from '../core/errors.ts'
import { parseLockfile, type Lockfile } from '../core/spec/lockfile.ts'
import { openwrtSpec } from '../core/spec/openwrt-spec.ts'
import type { OpenwrtLayer } from '../core/spec/options.ts'
import type { OpenwrtSettings } from '../pipeline/openwrt/context.ts'
import { buildSettings } from './build-settings.ts'
import type { Io } from './io.ts'
import { readLockText, type RunFlags } from './option-layers.ts'

/** Everything a build needs to know, from all layers of options. */
export async function openwrtSettings(
  layers: readonly OpenwrtLayer[],
  run: Pick<RunFlags, 'lock'> | 'unpinned',
  io: Io,
): Promise<OpenwrtSettings> {
  const spec = openwrtSpec(layers)
  const { name, suites } = spec.release
  return {
    ...(await buildSettings(layers, { name, suites }, io)),
    spec,
    lock: run === 'unpinned' ? undefined : await readLock(run.lock, name, io),
  }
}

async function readLock(given: string | undefined, release: string, io: Io): Promise<Lockfile | undefined> {
  const text = await readLockText(given, 'fwbuild.lock', io)
  if (text === undefined) return undefined
  const lock = parseLockfile(text, given ?? 'fwbuild.lock')
  if (lock.release === release) return lock
  // One that just lies in the current directory is for builds of its own release.
  if (given === undefined) return undefined
  throw usageError('E_LOCK_RELEASE', `${given} pins release ${lock.release}, not ${release}`, {
    hint: `add --release ${lock.release}, or name another lock file`,
  })
}
