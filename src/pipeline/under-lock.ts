import type { Reporter } from '../core/events.ts'
import { takeWorkLock } from '../effects/work-lock.ts'
import { tagWorkDir } from '../effects/work-tag.ts'
import type { BuildSettings } from './build-settings.ts'
import { clearUpAfterCrash } from './clear-up.ts'

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
  if (!(await tagWorkDir(paths.work))) {
    const text = `${paths.work} holds other things too: fwbuild clean will not remove anything there`
    report({ type: 'note', level: 'warn', text })
  }
  await clearUpAfterCrash(lock, engine.kind, {
    workDir: paths.work,
    env,
    signal,
    tell: (text) => report({ type: 'note', level: 'info', text }),
  })
  // Awaited here: the lock is let go when this function returns.
  return await body()
}
