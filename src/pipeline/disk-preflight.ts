import { existsSync } from 'node:fs'
import { infraError } from '../core/errors.ts'
import { freeDiskBytes } from '../effects/files.ts'

export interface DiskNeed {
  /** File system to look at, by any path on it. */
  readonly path: string
  /** For a build from nothing. */
  readonly bytes: number
  /** Exists when most of that was written by an earlier run. */
  readonly builtMark: string
}

/** Share of the estimate that an incremental build still needs. */
const incrementalShare = 0.2

/** @throws infra E_DISK_SPACE before hours of work end with a full disk */
export async function checkDisk(need: DiskNeed): Promise<void> {
  const wanted = existsSync(need.builtMark) ? need.bytes * incrementalShare : need.bytes
  const free = await freeDiskBytes(need.path)
  if (free >= wanted) return
  throw infraError(
    'E_DISK_SPACE',
    `${gib(free)} GiB are free for ${need.path}, the build needs about ${gib(wanted)} GiB`,
    {
      retryable: false,
      hint: 'free some space, or put the work directory on another disk with --work DIR',
    },
  )
}

const gib = (bytes: number): string => (bytes / 1024 ** 3).toFixed(1)
