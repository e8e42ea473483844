import type { Terminal } from '../effects/engine.ts'
import { inBuild } from './openwrt-session.ts'
import type { OpenwrtSettings } from './openwrt/context.ts'

export interface ShellOptions {
  readonly signal: AbortSignal
  readonly write: (text: string) => void
  /** Notes for the user, beside the command's output. */
  readonly tell: (text: string) => void
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
  return inBuild(settings, 'fwbuild shell', options.signal, options.tell, async (context) => {
    const session = await context.session(options.tell)
    if (words.length === 0 && options.terminal !== undefined) {
      return session.interactive(['/bin/bash', '-i'], context.tree, options.terminal)
    }
    const result = await session.exec(words, {
      cwd: context.tree,
      signal: options.signal,
      onLine: (line) => options.write(`${line}\n`),
    })
    return result.exitCode
  })
}
