import { readdirSync, readFileSync } from 'node:fs'

/**
 * How long a process has been ready to run and did not get a processor, by its thread that waited longest;
 * 0 where the kernel does not tell. Field 2 of /proc/PID/task/TID/schedstat, in nanoseconds.
 */
export function processorWaitMs(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const waited = threads.map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[1]),
    )
    return Math.max(0, ...waited) / 1e6
  } catch {
    // The process, or one of its threads, ended in between.
    return 0
  }
}
