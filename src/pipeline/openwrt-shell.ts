import { existsSync } from 'node:fs'
import { usageError } from '../core/errors.ts'
import type { Terminal } from '../effects/engine.ts'
import { takeWorkLock } from '../effects/work-lock.ts'
import { openwrtContext, type OpenwrtSettings } from './openwrt/context.ts'

export interface ShellOptions {
  readonly signal: AbortSignal
  readonly write: (text: string) => void
  readonly terminal: Terminal | undefined
}

/**
 * Runs a command, or a shell on the user's terminal, in the session that a build of these settings has.
 * @returns its exit code
 */
export async function openShell(
  settings: OpenwrtSettings,
  words: readonly string[],
  options: ShellOptions,
): Promise<number> {
  await using _lock = await takeWorkLock(settings.paths.work, 'fwbuild shell')
  const context = await openwrtContext(settings, options.signal)
  if (!existsSync(context.tree)) {
    throw usageError(
      'E_NO_TREE',
      `there is no tree of ${settings.spec.release.name} in ${settings.paths.work}`,
      {
        hint: 'build it first, for example with --until configure',
      },
    )
  }
  try {
    const session = await context.session(() => {})
    if (words.length === 0 && options.terminal !== undefined) {
      return await session.interactive(['/bin/bash', '-i'], context.tree, options.terminal)
    }
    const result = await session.exec(words, {
      cwd: context.tree,
      signal: options.signal,
      onLine: (line) => options.write(`${line}\n`),
    })
    return result.exitCode
  } finally {
    await context.close()
  }
}
