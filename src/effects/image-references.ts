import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { bootError, usageError } from '../core/errors.ts'
import type { ImageFormat } from '../core/image/formats.ts'
import { headBytes, namesOtherFiles, otherFileOf } from '../core/image/other-files.ts'
import type { BuildUser } from './engine.ts'
import { runProcess } from './process.ts'
import { stepsDown } from './step-down.ts'

interface CheckOptions {
  readonly signal: AbortSignal
  /** Who runs qemu-img where root runs fwbuild. */
  readonly as: BuildUser
  readonly note: (text: string) => void
}

/** Real ones answer at once; a foreign one may be made to take its reader's memory and time. */
const limits = ['prlimit', '--as=4294967296', '--cpu=60', '--fsize=0', '--']
const timeoutMs = 120_000
const handed = '/dev/fd/3'

/**
 * Makes sure that an image holds its whole disk itself. One that names a backing file, an external data file or
 * extents would have QEMU make files of this machine a disk of the guest.
 * @throws usage E_IMAGE_NAMES_FILES; boot E_IMAGE_UNREADABLE; infra E_PROGRAM_MISSING; cancelled
 */
export async function requireWholeImage(
  path: string,
  format: ImageFormat,
  options: CheckOptions,
): Promise<void> {
  // Read as raw, whatever its first bytes say: then nothing in it is a name.
  if (format === 'raw') return
  const image = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const head = Buffer.alloc(headBytes)
    const { bytesRead } = await image.read(head, 0, headBytes, 0)
    const named = namesOtherFiles(format, head.subarray(0, bytesRead))
    if (named !== undefined) throw refusal(path, named)
    const other = otherFileOf(await askQemu(image, path, format, options), handed)
    if (other !== undefined) throw refusal(path, other)
  } finally {
    await image.close()
  }
}

async function askQemu(
  image: FileHandle,
  path: string,
  format: ImageFormat,
  { signal, as, note }: CheckOptions,
): Promise<unknown> {
  const { mode, uid } = await image.stat()
  const isReadable = (mode & 0o004) !== 0 || uid === as.uid
  if (stepsDown(as) && !isReadable) {
    note(
      `${path} is not readable to others: qemu-img looks at it as root; chmod o+r has user ${as.uid} do so`,
    )
  }
  const argv = [...limits, 'qemu-img', 'info', '--output=json', '-f', format, handed]
  const rights = isReadable ? { as } : {}
  const { exitCode, stdout, stderr } = await runProcess(argv, {
    ...rights,
    files: [image.fd],
    cwd: '/',
    signal,
    timeoutMs,
  })
  if (exitCode !== 0) {
    const why = stderr.trim().split('\n').slice(-2).join('; ')
    throw bootError('E_IMAGE_UNREADABLE', `${path} cannot be read as ${format} (exit ${exitCode}): ${why}`)
  }
  return JSON.parse(stdout) as unknown
}

const refusal = (path: string, named: string): Error =>
  usageError('E_IMAGE_NAMES_FILES', `${path} does not hold its whole disk: it names ${named}`, {
    hint: 'QEMU would open that file of this machine for the guest; where the image is yours, make it whole: qemu-img convert -O FORMAT IMAGE WHOLE',
  })
