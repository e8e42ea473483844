/**
 * Long pure work, taken apart: it stops at each `yield`, so that whoever drives it can let signals and timers in,
 * or give it up. What lies between two of them takes well under a second, whatever the input is.
 */
export type Steps<T> = Generator<undefined, T, undefined>

/** Drives the work to its end without a pause, where nothing else waits for the processor. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const next = steps.next()
    if (next.done === true) return next.value
  }
}
