import { setImmediate as turn } from 'node:timers/promises'
import { cancelledError } from '../core/errors.ts'

/** Long enough to cost nothing, short enough that nobody notices. */
const sliceMs = 20

/**
 * For long work without waiting in it: called between its parts, lets signals and timers in now and then.
 * @returns a function that throws cancelled once `signal` is aborted
 */
export function pacer(signal: AbortSignal | undefined): () => Promise<void> {
  let since = performance.now()
  return async () => {
    if (performance.now() - since > sliceMs) {
      await turn()
      since = performance.now()
    }
    if (signal?.aborted === true) throw cancelledError()
  }
}
