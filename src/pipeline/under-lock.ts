import { join } from 'node:path'
import type { Reporter } from '../core/events.ts'
import { atomicWrite } from '../effects/files.ts'
import { takeWorkLock } from '../effects/work-lock.ts'
import type { BuildSettings } from './build-settings.ts'
import { clearUpAfterCrash } from './clear-up.ts'

const cachedirTag =
  'Signature: 8a477f597d28d172789f06886806bc55\n# made by fwbuild; see https://bford.info/cachedir/\n'

/**
 * Does something with the work directory while nobody else may, after what a killed run left was removed.
 * @param command named to whoever finds the directory locked
 */
export async function underWorkLock<T>(
  { paths, engine, env }: BuildSettings,
  run: { readonly command: string; readonly signal: AbortSignal; readonly report: Reporter },
  body: () => Promise<T>,
): Promise<T> {
  const { command, signal, report } = run
  await using lock = await takeWorkLock(paths.work, command)
  await atomicWrite(join(paths.work, 'CACHEDIR.TAG'), cachedirTag)
  await clearUpAfterCrash(lock, engine.kind, {
    workDir: paths.work,
    env,
    signal,
    tell: (text) => report({ type: 'note', level: 'info', text }),
  })
  // Awaited here: the lock is let go when this function returns.
  return await body()
}
