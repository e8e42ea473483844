/** A signal that follows another and is aborted by a time limit too. */
export interface LimitedSignal extends Disposable {
  readonly signal: AbortSignal
}

/**
 * What AbortSignal.any and AbortSignal.timeout should do together: Node 20 holds both only weakly, so that
 * a garbage collection takes the limit away without a trace. To be disposed of when the work is done.
 * @param timeoutMs undefined for no limit
 */
export function limitedSignal(parent: AbortSignal, timeoutMs: number | undefined): LimitedSignal {
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  const timer = timeoutMs === undefined ? undefined : setTimeout(abort, timeoutMs)
  parent.addEventListener('abort', abort, { once: true })
  if (parent.aborted) abort()
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      clearTimeout(timer)
      parent.removeEventListener('abort', abort)
    },
  }
}
