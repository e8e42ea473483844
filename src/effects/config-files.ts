import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { infraError, messageOf, usageError } from '../core/errors.ts'
import { maxConfigBytes } from '../core/kconfig/config-line.ts'

/**
 * The text of a .config or fragment; its kind and size are looked at first, so that nobody waits at a FIFO and a
 * disk image given by mistake is not read into memory.
 * @throws usage error E_CONFIG_MISSING | E_CONFIG_TOO_LARGE, infra error E_CONFIG_READ
 */
export async function readConfigText(path: string): Promise<string> {
  try {
    // Without O_NONBLOCK opening a FIFO waits for somebody to write to it.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stats = await file.stat()
      if (!stats.isFile()) throw usageError('E_CONFIG_MISSING', `${path}: not a file`)
      if (stats.size > maxConfigBytes)
        throw usageError(
          'E_CONFIG_TOO_LARGE',
          `${path}: ${Math.round(stats.size / 1e6)} MB is too large for a kernel configuration`,
          { hint: 'Real ones are below 1 MB; is this the right file?' },
        )
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw usageError('E_CONFIG_MISSING', `${path}: no such file`, { cause: error })
    if (syscall === undefined) throw error
    throw infraError('E_CONFIG_READ', `${path}: cannot read: ${messageOf(error)}`, { cause: error })
  }
}
