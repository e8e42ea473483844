import { stat } from 'node:fs/promises'
import { tellsDiskFull } from '../core/disk-full.ts'
import { infraError } from '../core/errors.ts'
import { compareCommand, conversionCommands } from '../core/image/conversion.ts'
import type { ImageFormat } from '../core/image/formats.ts'
import { replaceFile } from './files.ts'
import { runProcess, type ProcessResult } from './process.ts'

/**
 * Converts a raw image, and proves with `qemu-img compare` that the result holds the same disk,
 * before it gets its name.
 * @param from raw image whose size is a multiple of 512 bytes
 * @throws infra E_IMAGE_CONVERT | E_IMAGE_DIFFERS | E_DISK_FULL | E_PROGRAM_MISSING, cancelled;
 *   `to` is then as it was before
 */
export async function convertImage(
  from: string,
  format: ImageFormat,
  to: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  const { size } = await stat(from)
  await replaceFile(to, async (temporary) => {
    for (const command of conversionCommands({ path: from, bytes: size }, format, temporary)) {
      const result = await runProcess(command, options)
      if (result.exitCode !== 0) throw failure('E_IMAGE_CONVERT', `${from} to ${format}`, result)
    }
    const same = await sameContent({ path: from, format: 'raw' }, { path: temporary, format }, options)
    if (!same) throw infraError('E_IMAGE_DIFFERS', `${to} does not hold the disk of ${from} after converting`)
  })
}

/**
 * Whether two images hold the same disk; one may be longer if the rest is zero.
 * @throws infra E_IMAGE_COMPARE when one of them cannot be read, E_PROGRAM_MISSING, cancelled
 */
export async function sameContent(
  left: { readonly path: string; readonly format: ImageFormat },
  right: { readonly path: string; readonly format: ImageFormat },
  options: { readonly signal?: AbortSignal } = {},
): Promise<boolean> {
  const result = await runProcess(compareCommand(left, right), options)
  if (result.exitCode > 1) throw failure('E_IMAGE_COMPARE', `${left.path} and ${right.path}`, result)
  return result.exitCode === 0
}

function failure(code: string, what: string, result: ProcessResult): Error {
  const lines = result.stderr.trim().split('\n').slice(-3).join('\n')
  if (tellsDiskFull(lines)) {
    return infraError('E_DISK_FULL', `no space left while converting ${what}`, {
      hint: 'Free some space and run the same command again; it continues where it stopped.',
      retryable: true,
    })
  }
  return infraError(code, `qemu-img failed for ${what} (exit ${result.exitCode}): ${lines}`)
}
