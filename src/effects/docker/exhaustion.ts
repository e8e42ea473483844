import { randomUUID } from 'node:crypto'
import { infraError } from '../../core/errors.ts'
import type { SessionLimits } from '../engine.ts'
import { runExec, type ExecTarget } from './exec.ts'

/** Counters of the container's own cgroup, by version 2 and 1 (the kernel's admin-guide/cgroup-v2.rst and cgroup-v1). */
const files = [
  '/sys/fs/cgroup/memory.events',
  '/sys/fs/cgroup/memory/memory.oom_control',
  '/sys/fs/cgroup/pids.events',
  '/sys/fs/cgroup/pids/pids.events',
] as const

interface Counts {
  /** Processes that the kernel killed for want of memory. */
  readonly killed: number
  /** Processes that could not be started. */
  readonly refused: number
}

/**
 * Looks after a command that failed whether the container ran out of memory or processes meanwhile.
 * @returns to be called after each failed command
 * @throws infra E_OUT_OF_MEMORY | E_OUT_OF_PROCESSES
 */
export function exhaustionCheck(
  target: ExecTarget,
  limits: SessionLimits,
): (signal: AbortSignal) => Promise<void> {
  let seen: Counts = { killed: 0, refused: 0 }
  return async (signal) => {
    const before = seen
    seen = await readCounts(target, signal)
    if (seen.killed > before.killed) throw outOfMemory(limits)
    if (seen.refused > before.refused) throw outOfProcesses(limits)
  }
}

async function readCounts(target: ExecTarget, signal: AbortSignal): Promise<Counts> {
  const lines: string[] = []
  const argv = ['grep', '-H', '-E', '^(oom_kill|max) ', ...files]
  const request = { id: randomUUID(), argv, cwd: '/', env: {} }
  await runExec(target, request, {
    signal,
    onLine: (line, from) => void (from === 'out' && lines.push(line)),
  })
  const count = (wanted: RegExp): number =>
    lines.reduce((sum, line) => sum + Number(wanted.exec(line)?.[1] ?? 0), 0)
  return { killed: count(/memory\.[a-z_]+:oom_kill (\d+)$/), refused: count(/pids\.events:max (\d+)$/) }
}

const outOfMemory = ({ memoryBytes }: SessionLimits): Error =>
  infraError(
    'E_OUT_OF_MEMORY',
    `the build container’s ${(memoryBytes / 1024 ** 3).toFixed(1)} GiB of memory (with its /tmp) were used up, and the kernel ended a program in it`,
    { hint: 'run it with fewer jobs (-j) or more memory (--memory)', retryable: true },
  )

const outOfProcesses = ({ pids }: SessionLimits): Error =>
  infraError('E_OUT_OF_PROCESSES', `the build container’s ${pids} processes were all in use`, {
    hint: 'run it with fewer jobs (-j) or more processes (--pids)',
    retryable: true,
  })
