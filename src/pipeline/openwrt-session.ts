import { existsSync } from 'node:fs'
import { usageError } from '../core/errors.ts'
import { takeWorkLock } from '../effects/work-lock.ts'
import { clearUpAfterCrash } from './clear-up.ts'
import { openwrtContext, treeOf, type OpenwrtContext, type OpenwrtSettings } from './openwrt/context.ts'

/**
 * Does something with a build that is there, in its own session and under the lock of its work directory.
 * @param command named to whoever finds the directory locked
 * @param tell notes for the user: what a killed run left behind, another buildroot image than wanted
 * @throws usage error E_NO_TREE, and what `body` throws
 */
export async function inBuild<T>(
  settings: OpenwrtSettings,
  command: string,
  signal: AbortSignal,
  tell: (text: string) => void,
  body: (context: OpenwrtContext) => Promise<T>,
): Promise<T> {
  const { paths, spec, engine, env } = settings
  if (!existsSync(treeOf(paths.work, spec.release.name))) {
    throw usageError('E_NO_TREE', `there is no tree of ${spec.release.name} in ${paths.work}`, {
      hint: 'build it first, for example with --until configure',
    })
  }
  await using lock = await takeWorkLock(paths.work, command)
  await clearUpAfterCrash(lock, engine.kind, { workDir: paths.work, env, signal, tell })
  const context = await openwrtContext(settings, signal, tell)
  try {
    return await body(context)
  } finally {
    await context.close()
  }
}
