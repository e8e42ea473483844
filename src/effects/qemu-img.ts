import { chown, mkdir, mkdtemp, open, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { tellsDiskFull } from '../core/disk-full.ts'
import { infraError } from '../core/errors.ts'
import { compareCommand, conversionCommands } from '../core/image/conversion.ts'
import type { ImageFormat } from '../core/image/formats.ts'
import { ownBeneath } from './beneath/give.ts'
import { removeBeneath } from './beneath/remove.ts'
import { renameBeneath } from './beneath/write.ts'
import type { BuildUser } from './engine.ts'
import { fileError } from './files.ts'
import { runProcess, type ProcessOptions, type ProcessResult } from './process.ts'
import { stepsDown } from './step-down.ts'

/** What the first file that a program is handed is called by it. */
const handed = '/dev/fd/3'

/** Folders in which images are made, beside where they will stand; a killed run leaves one. */
export const isUnfinishedFolder = (name: string): boolean => /^\.converting-[A-Za-z0-9]{6}$/.test(name)

/**
 * Converts a raw image, and proves with `qemu-img compare` that the result holds the same disk,
 * before it gets its name.
 * @param from raw image whose size is a multiple of 512 bytes
 * @param options.as who runs qemu-img where fwbuild is root's. It is handed the image as an open file and the new
 *   one's folder as its current directory, so it needs no way to either.
 * @throws infra E_IMAGE_CONVERT | E_IMAGE_DIFFERS | E_DISK_FULL | E_PROGRAM_MISSING, cancelled;
 *   `to` is then as it was before
 */
export async function convertImage(
  from: string,
  format: ImageFormat,
  to: string,
  options: { readonly signal?: AbortSignal; readonly as?: BuildUser } = {},
): Promise<void> {
  const folder = dirname(to)
  const source = await open(from, 'r')
  try {
    const scratch = await scratchFolder(folder)
    try {
      const how = { ...(await rightsFor(source, options)), cwd: scratch, files: [source.fd] }
      if (stepsDown(how.as)) await chown(scratch, how.as.uid, how.as.gid)
      const { size } = await source.stat()
      const made = `./${basename(to)}`
      for (const command of conversionCommands({ path: handed, bytes: size }, format, made)) {
        const result = await runProcess(command, how)
        if (result.exitCode !== 0) throw failure('E_IMAGE_CONVERT', `${from} to ${format}`, result)
      }
      if (!(await sameContent({ path: handed, format: 'raw' }, { path: made, format }, how)))
        throw infraError('E_IMAGE_DIFFERS', `${to} does not hold the disk of ${from} after converting`)
      takeOver(folder, `${basename(scratch)}/${basename(to)}`, basename(to))
    } finally {
      await removeBeneath(folder, basename(scratch))
    }
  } finally {
    await source.close()
  }
}

async function scratchFolder(beside: string): Promise<string> {
  try {
    await mkdir(beside, { recursive: true })
    return await mkdtemp(join(beside, '.converting-'))
  } catch (error) {
    throw fileError(beside, error)
  }
}

/**
 * The raw image is fwbuild's own file; where root's umask keeps others from reading it, root's qemu-img does. It
 * copies and compares bytes then, and interprets none of the image.
 */
async function rightsFor(
  source: FileHandle,
  { as, ...options }: { readonly signal?: AbortSignal; readonly as?: BuildUser },
): Promise<Pick<ProcessOptions, 'as' | 'signal'>> {
  const isOpenToAll = ((await source.stat()).mode & 0o004) !== 0
  return as === undefined || !isOpenToAll ? options : { ...options, as }
}

function takeOver(folder: string, made: string, name: string): void {
  try {
    ownBeneath(folder, made)
    renameBeneath(folder, made, name)
  } catch (error) {
    throw fileError(join(folder, name), error)
  }
}

/**
 * Whether two images hold the same disk; one may be longer if the rest is zero.
 * @throws infra E_IMAGE_COMPARE when one of them cannot be read, E_PROGRAM_MISSING, cancelled
 */
export async function sameContent(
  left: { readonly path: string; readonly format: ImageFormat },
  right: { readonly path: string; readonly format: ImageFormat },
  options: Pick<ProcessOptions, 'as' | 'cwd' | 'files' | 'signal'> = {},
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
