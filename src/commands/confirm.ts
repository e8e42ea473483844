import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { cancelledError } from '../core/errors.ts'
import type { Io } from './io.ts'

/**
 * Asks on the user's terminal; an empty answer, or no terminal to ask on, is a yes.
 * @throws cancelled when interrupted instead of answered
 */
export async function confirm(question: string, io: Io): Promise<boolean> {
  if (io.stdin === undefined) return true
  io.stderr(`${question} [Y/n] `)
  // The terminal echoes and turns ^C into an interrupt by itself; readline would swallow it.
  const lines = createInterface({ input: io.stdin, terminal: false })
  try {
    const closed = once(lines, 'close').then(() => 'n')
    const answered = once(lines, 'line', { signal: io.signal }).then(([line]) => String(line))
    return !/^\s*n/i.test(await Promise.race([answered, closed]))
  } catch (error) {
    if (io.signal.aborted) throw cancelledError()
    throw error
  } finally {
    lines.close()
  }
}
