import { existsSync } from 'node:fs'
import { infraError } from '../core/errors.ts'
import { diskUsageBytes, freeDiskBytes } from '../effects/files.ts'

export interface DiskNeed {
  /** File system to look at, by any path on it. */
  readonly path: string
  /** For a build from nothing. */
  readonly bytes: number
  /** What the build writes: the share that is there already is not needed again. */
  readonly writes: readonly string[]
  /** Exists when an earlier run got to the end of it. */
  readonly builtMark: string
}

/** Share of the estimate that an incremental build still needs. */
const incrementalShare = 0.2

/** @throws infra E_DISK_SPACE before hours of work end with a full disk */
export async function checkDisk(need: DiskNeed, signal: AbortSignal): Promise<void> {
  const built = existsSync(need.builtMark)
  const estimate = built ? need.bytes * incrementalShare : need.bytes
  const free = await freeDiskBytes(need.path)
  if (free >= estimate) return
  // Counting takes a while, so only where it matters.
  const there = built ? 0 : await diskUsageBytes(need.writes, signal)
  const wanted = Math.max(estimate - there, need.bytes * incrementalShare)
  if (free >= wanted) return
  const what = there > 0 ? 'the rest of the build' : 'the build'
  throw infraError(
    'E_DISK_SPACE',
    `${gib(free)} GiB are free for ${need.path}, ${what} needs about ${gib(wanted)} GiB`,
    {
      retryable: false,
      hint: 'free some space, or put the work directory on another disk with --work DIR',
    },
  )
}

const gib = (bytes: number): string => (bytes / 1024 ** 3).toFixed(1)
