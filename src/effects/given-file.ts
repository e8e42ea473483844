import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { messageOf, usageError } from '../core/errors.ts'

/** Settings and lock files are written by hand or by fwbuild; real ones have a few KiB. */
const maxBytes = 4 * 1024 * 1024

interface Given {
  /** Of the usage error. */
  readonly code: string
  /** What named the file. */
  readonly flag: string
  readonly maxBytes: number
}

/**
 * Text of a file that the user named. A FIFO or device, which might never end, is not read.
 * @param code of the usage error
 * @param flag that named it
 * @throws usage error
 */
export const readGivenText = async (path: string, code: string, flag: string): Promise<string> =>
  (await readGivenFile(path, { code, flag, maxBytes })).toString('utf8')

/** The same as bytes, of a file that may be larger. */
export async function readGivenFile(path: string, { code, flag, maxBytes }: Given): Promise<Buffer> {
  const unreadable = (why: string, cause?: unknown): Error =>
    usageError(code, `${path} cannot be read: ${why}`, { cause, hint: `check ${flag}` })
  try {
    // Without O_NONBLOCK opening a FIFO waits for somebody to write to it.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stats = await file.stat()
      if (!stats.isFile()) throw unreadable('it is no regular file')
      if (stats.size > maxBytes) throw unreadable(`it is too large (${stats.size} bytes)`)
      return await file.readFile()
    } finally {
      await file.close()
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).syscall === undefined) throw cause
    throw unreadable(messageOf(cause), cause)
  }
}
