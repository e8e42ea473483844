import type { Steps } from '../core/steps.ts'
import { pacer } from './pace.ts'

/**
 * Drives long pure work to its end in slices of some milliseconds, between which signals and timers come in.
 * @throws cancelled once `signal` is aborted, at the next step; what the work throws
 */
export async function inSlices<T>(steps: Steps<T>, signal: AbortSignal | undefined): Promise<T> {
  const pause = pacer(signal)
  for (;;) {
    const next = steps.next()
    if (next.done === true) return next.value
    await pause()
  }
}
