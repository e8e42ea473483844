import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { Socket } from 'node:net'
import { addAbortSignal, type Readable } from 'node:stream'
import { cancelledError, usageError } from '../core/errors.ts'

/** What patches may take together. Larger ones are none; the largest of the Linux kernel's releases stay below. */
export const maxPatchBytes = 128 * 1024 * 1024

/** How much may still be read; shared by all patches of a command, of which one may be named many times. */
export interface Allowance {
  leftBytes: number
}

/**
 * All that a patch file holds. A pipe (`<(…)` of a shell) is read to its end.
 * @throws usage E_PATCH_KIND for devices, sockets and folders, E_PATCH_SIZE; cancelled; errors of the file system
 */
export async function readPatchFile(
  path: string,
  allowance: Allowance,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const file = openFile(path)
  let isOurs = true
  try {
    const stats = fstatSync(file)
    if (stats.isFile()) return readAll(file, path, allowance)
    if (!stats.isFIFO()) throw notPatch(path, kindOf(stats))
    const first = firstOf(file)
    if (first?.length === 0) return first
    isOurs = false
    const rest = await readPipe(new Socket({ fd: file, writable: false }), path, allowance, signal)
    return first === undefined ? rest : Buffer.concat([first, rest])
  } finally {
    if (isOurs) closeSync(file)
  }
}

/** Without waiting: a FIFO that nobody writes to is empty. */
function openFile(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENXIO' ? notPatch(path, 'a socket or device') : error
  }
}

/** Empty where nobody writes to the pipe: the event loop would wait for ever. undefined where nothing came yet. */
function firstOf(pipe: number): Buffer | undefined {
  const chunk = Buffer.alloc(1)
  try {
    return chunk.subarray(0, readSync(pipe, chunk))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined
    throw error
  }
}

const kindOf = (stats: Stats): string =>
  stats.isDirectory() ? 'a folder' : stats.isSocket() ? 'a socket' : 'a device'

const notPatch = (path: string, kind: string): Error =>
  usageError('E_PATCH_KIND', `${path} is ${kind}, not a patch`)

const chunkBytes = 1 << 20

function readAll(file: number, shown: string, allowance: Allowance): Buffer {
  const { size } = fstatSync(file)
  if (size > allowance.leftBytes) throw tooLarge(shown)
  const chunks: Buffer[] = []
  for (;;) {
    // Files of the kernel's own have no size, and one more byte tells that the end was reached.
    const chunk = Buffer.allocUnsafe(chunks.length === 0 && size > 0 ? size + 1 : chunkBytes)
    const length = readSync(file, chunk)
    if (length === 0)
      return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
    take(allowance, length, shown)
    chunks.push(chunk.subarray(0, length))
  }
}

/**
 * What comes from a stream, to its end.
 * @throws usage E_PATCH_SIZE; cancelled
 */
export async function readPipe(
  stream: Readable,
  shown: string,
  allowance: Allowance,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  try {
    if (signal !== undefined) addAbortSignal(signal, stream)
    for await (const chunk of stream) {
      take(allowance, (chunk as Buffer).length, shown)
      chunks.push(chunk as Buffer)
    }
    return Buffer.concat(chunks)
  } catch (error) {
    throw signal?.aborted === true ? cancelledError() : error
  } finally {
    stream.destroy()
  }
}

function take(allowance: Allowance, bytes: number, shown: string): void {
  allowance.leftBytes -= bytes
  if (allowance.leftBytes < 0) throw tooLarge(shown)
}

const tooLarge = (shown: string): Error =>
  usageError(
    'E_PATCH_SIZE',
    `${shown} is too large for a patch: at most ${maxPatchBytes} bytes are read in all`,
  )
