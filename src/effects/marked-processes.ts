import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { infraError } from '../core/errors.ts'

interface MarkedProcess {
  readonly pid: number
  /** Program name and arguments, for messages. */
  readonly command: string
}

const pollMs = 50
const killTimeoutMs = 10_000

/**
 * Ends every process of this machine that has an environment entry, wherever in the process tree it is:
 * TERM first, KILL after the grace.
 * @param marker `NAME=value`; children inherit it
 * @returns what was ended, sorted by pid
 * @throws infra E_PROCESS_STUCK when one survives KILL
 */
export async function stopMarked(marker: string, graceMs: number): Promise<readonly MarkedProcess[]> {
  const seen = new Map<number, MarkedProcess>()
  const start = performance.now()
  for (;;) {
    const running = await findMarked(marker)
    if (running.length === 0) return [...seen.values()].sort((a, b) => a.pid - b.pid)
    const elapsedMs = performance.now() - start
    for (const found of running) {
      if (elapsedMs >= graceMs) send(found.pid, 'SIGKILL')
      else if (!seen.has(found.pid)) send(found.pid, 'SIGTERM')
      seen.set(found.pid, found)
    }
    if (elapsedMs > graceMs + killTimeoutMs) {
      const names = running.map(({ pid, command }) => `${pid} (${command})`)
      throw infraError('E_PROCESS_STUCK', `these processes cannot be stopped: ${names.join(', ')}`)
    }
    await sleep(pollMs)
  }
}

async function findMarked(marker: string): Promise<MarkedProcess[]> {
  const found: MarkedProcess[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    try {
      const environ = await readFile(`/proc/${name}/environ`, 'utf8')
      if (!environ.split('\0').includes(marker)) continue
      const command = (await readFile(`/proc/${name}/cmdline`, 'utf8')).split('\0').join(' ').trim()
      found.push({ pid: Number(name), command })
    } catch {
      // Ended in between, or not ours to look at and so not started by us.
    }
  }
  return found
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone already.
  }
}
