import { FwbuildError } from '../core/errors.ts'
import type { Engine } from '../effects/engine.ts'
import type { WorkLock } from '../effects/work-lock.ts'
import { chooseEngine } from './lazy-engine.ts'

export interface ClearUpOptions {
  readonly workDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  /** Told of every container and process that was removed. */
  readonly tell: (text: string) => void
}

/**
 * Removes what a killed run left running, whichever engine it had, before anybody touches its tree.
 * @param needed engine without which it is not done: the other is only asked where it answers
 * @throws what the needed engine throws; the crash then stays known for the next holder of the lock
 */
export async function clearUpAfterCrash(
  lock: WorkLock,
  needed: Engine['kind'],
  { workDir, env, signal, tell }: ClearUpOptions,
): Promise<void> {
  if (!lock.holderCrashed) return
  for (const kind of ['host', 'docker'] as const) {
    try {
      for (const left of await chooseEngine(kind, env).sweep(workDir, signal)) {
        tell(`removed what a killed run left behind: ${left}`)
      }
    } catch (error) {
      if (kind === needed || signal.aborted || !(error instanceof FwbuildError)) throw error
    }
  }
  await lock.clearedUp()
}
