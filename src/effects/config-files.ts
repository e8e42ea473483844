import { readFile, stat } from 'node:fs/promises'
import { infraError, messageOf, usageError } from '../core/errors.ts'
import { maxConfigBytes } from '../core/kconfig/config-line.ts'

/**
 * The text of a .config or fragment; its size is looked at first, so that a disk image given by
 * mistake is not read into memory.
 * @throws usage error E_CONFIG_MISSING | E_CONFIG_TOO_LARGE, infra error E_CONFIG_READ
 */
export async function readConfigText(path: string): Promise<string> {
  try {
    const stats = await stat(path)
    if (!stats.isFile()) throw usageError('E_CONFIG_MISSING', `${path}: not a file`)
    if (stats.size > maxConfigBytes)
      throw usageError(
        'E_CONFIG_TOO_LARGE',
        `${path}: ${Math.round(stats.size / 1e6)} MB is too large for a kernel configuration`,
        { hint: 'Real ones are below 1 MB; is this the right file?' },
      )
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw usageError('E_CONFIG_MISSING', `${path}: no such file`, { cause: error })
    if (syscall === undefined) throw error
    throw infraError('E_CONFIG_READ', `${path}: cannot read: ${messageOf(error)}`, { cause: error })
  }
}
