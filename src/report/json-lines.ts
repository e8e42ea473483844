import type { Reporter } from '../core/events.ts'

/** One event a line, as JSON; raw output lines only when verbose. */
export function jsonReporter(write: (text: string) => void, verbose: boolean): Reporter {
  return (event) => {
    if (event.type === 'line' && !verbose) return
    write(`${JSON.stringify(event)}\n`)
  }
}
