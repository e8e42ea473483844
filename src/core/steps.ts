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

/** So many small parts are one step. */
const partsPerStep = 500

/** `items.map(make)`, some at a time. */
export function* mapSteps<A, B>(items: readonly A[], make: (item: A, at: number) => B): Steps<B[]> {
  const made: B[] = []
  for (const [at, item] of items.entries()) {
    made.push(make(item, at))
    if (at % partsPerStep === 0) yield
  }
  return made
}

/** `items.every(holds)`, some at a time. */
export function* everySteps<A>(items: readonly A[], holds: (item: A) => boolean): Steps<boolean> {
  for (const [at, item] of items.entries()) {
    if (!holds(item)) return false
    if (at % partsPerStep === 0) yield
  }
  return true
}
