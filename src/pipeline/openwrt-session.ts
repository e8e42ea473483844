import { existsSync } from 'node:fs'
import { usageError } from '../core/errors.ts'
import { takeWorkLock } from '../effects/work-lock.ts'
import { openwrtContext, type OpenwrtContext, type OpenwrtSettings } from './openwrt/context.ts'

/**
 * Does something with a build that is there, in its own session and under the lock of its work directory.
 * @param command named to whoever finds the directory locked
 * @throws usage error E_NO_TREE, and what `body` throws
 */
export async function inBuild<T>(
  settings: OpenwrtSettings,
  command: string,
  signal: AbortSignal,
  body: (context: OpenwrtContext) => Promise<T>,
): Promise<T> {
  await using _lock = await takeWorkLock(settings.paths.work, command)
  const context = await openwrtContext(settings, signal)
  if (!existsSync(context.tree)) {
    throw usageError(
      'E_NO_TREE',
      `there is no tree of ${settings.spec.release.name} in ${settings.paths.work}`,
      { hint: 'build it first, for example with --until configure' },
    )
  }
  try {
    return await body(context)
  } finally {
    await context.close()
  }
}
