import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { join } from 'node:path'
import { buildError, cancelledError } from '../../core/errors.ts'
import { replaceFile } from '../files.ts'
import { streamBeneath } from './read.ts'

export interface CopyOptions {
  /** What a copy may take up at most. */
  readonly maxBytes: number
  readonly signal: AbortSignal
}

/**
 * Copies a regular file out of a folder that builds write to, into a place that is fwbuild's own. What changes
 * in the folder afterwards does not change the copy, so only the copy is to be looked at.
 * @param to absolute; the old file or the whole new one stands there
 * @returns size, and sha256 in lower-case hex, of what was copied
 * @throws build E_UNSAFE_PATH | E_FILE_MISSING | E_FILE_TOO_LARGE; infra E_DISK_FULL | E_FILE_WRITE; cancelled
 */
export async function copyBeneath(
  root: string,
  path: string,
  to: string,
  { maxBytes, signal }: CopyOptions,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  const counted = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length
      hash.update(chunk)
      done(bytes > maxBytes ? tooLarge(root, path, maxBytes) : null, chunk)
    },
  })
  await replaceFile(to, async (temporary) => {
    try {
      const target = createWriteStream(temporary, { flags: 'wx' })
      await pipeline(streamBeneath(root, path), counted, target, { signal })
    } catch (error) {
      throw signal.aborted ? cancelledError() : error
    }
  })
  return { bytes, sha256: hash.digest('hex') }
}

const tooLarge = (root: string, path: string, maxBytes: number): Error =>
  buildError('E_FILE_TOO_LARGE', `${join(root, path)} is larger than the ${maxBytes} bytes that are taken`)

/**
 * sha256 in lower-case hex of a regular file in a folder that builds write to.
 * @throws build E_UNSAFE_PATH | E_FILE_MISSING; cancelled
 */
export async function sha256Beneath(root: string, path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  try {
    await pipeline(streamBeneath(root, path), hash, { signal })
  } catch (error) {
    throw signal.aborted ? cancelledError() : error
  }
  return hash.digest('hex')
}
