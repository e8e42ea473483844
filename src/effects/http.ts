import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { got } from 'got'
import { cancelledError, infraError, messageOf } from '../core/errors.ts'
import type { Progress } from '../core/events.ts'
import { replaceFile } from './files.ts'

export interface DownloadOptions {
  /** Lower-case hex; a file with another one never gets its name. */
  readonly sha256: string
  /** A server that sends more is not listened to any longer; default 2 GiB, ten times the largest kernel source. */
  readonly maxBytes?: number
  readonly signal: AbortSignal
  readonly progress?: (progress: Progress) => void
}

/** Silence of a server after which it is given up. */
const silenceMs = 60_000
/** A server may be slow, but not for ever: 2 GiB at 150 KiB/s. */
const wholeMs = 4 * 60 * 60_000
const defaultMaxBytes = 2 * 1024 ** 3

/**
 * Downloads a file whose hash is known.
 * @throws infra E_DOWNLOAD | E_HASH | E_DISK_FULL, cancelled
 */
export async function downloadFile(url: string, path: string, options: DownloadOptions): Promise<void> {
  const { signal, sha256, progress, maxBytes = defaultMaxBytes } = options
  const hash = createHash('sha256')
  await replaceFile(path, async (temporary) => {
    const stream = got.stream(url, {
      signal,
      retry: { limit: 0 },
      timeout: {
        lookup: silenceMs,
        connect: silenceMs,
        secureConnect: silenceMs,
        socket: silenceMs,
        response: silenceMs,
        request: wholeMs,
      },
    })
    stream.on('downloadProgress', ({ transferred, total }: { transferred: number; total?: number }) => {
      progress?.({ item: url, done: transferred, ...(total === undefined ? {} : { total }) })
    })
    let bytes = 0
    const hashing = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        hash.update(chunk)
        bytes += chunk.length
        done(bytes > maxBytes ? new Error(`more than ${maxBytes} bytes came`) : null, chunk)
      },
    })
    try {
      await pipeline(stream, hashing, createWriteStream(temporary))
    } catch (error) {
      if (signal.aborted) throw cancelledError()
      if ((error as NodeJS.ErrnoException).syscall === 'write') throw error
      throw infraError('E_DOWNLOAD', `${url} could not be downloaded: ${messageOf(error)}`, {
        cause: error,
        retryable: true,
      })
    }
    const found = hash.digest('hex')
    if (found === sha256) return
    throw infraError('E_HASH', `${url} is not what was asked for:\n  sha256 ${found}\n  wanted ${sha256}`, {
      hint: 'correct --sha256, or name another place',
    })
  })
}
