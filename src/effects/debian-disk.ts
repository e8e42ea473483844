import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, truncate } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { infraError } from '../core/errors.ts'
import { bootstrapDebian, type BootstrapRequest } from './debian-bootstrap.ts'
import { removeTree } from './files.ts'
import { runProcess } from './process.ts'

const mebibyte = 1024 * 1024
/** GRUB's core image goes before the partition. */
const partitionStart = mebibyte

export interface DebianDisk {
  readonly kernelPath: string
  readonly initrdPath: string
}

/**
 * A raw disk with a Debian system on its one partition; no boot loader is on it yet. Needs root: owners of files
 * are those of a real system. Nothing is mounted.
 * @param path the disk, replaced
 * @param bytes its size; it is sparse
 * @returns kernel and initramfs of the system, copied beside the disk
 * @throws what `bootstrapDebian` throws; infra E_DEBIAN_DISK, cancelled
 */
export async function makeDebianDisk(
  path: string,
  bytes: number,
  request: BootstrapRequest,
): Promise<DebianDisk> {
  const { scratchDir, signal } = request
  await mkdir(scratchDir, { recursive: true })
  const directory = await mkdtemp(join(scratchDir, 'bootstrap-disk-'))
  try {
    const tree = join(directory, 'tree')
    await mkdir(tree)
    // Apart: making the tree clears the folder of what killed runs left.
    await bootstrapDebian(
      'debootstrap',
      { ...request, scratchDir: join(directory, 'new') },
      async (archive) => {
        const tar = join(directory, 'tree.tar')
        await pipeline(archive, createWriteStream(tar))
        await run(['tar', '-xpf', tar, '-C', tree, '--numeric-owner'], signal)
        await removeTree(tar)
      },
    )
    await makeDisk(path, bytes, tree, signal)
    const found = await run(['find', join(tree, 'boot'), '-name', 'vmlinuz-*'], signal)
    const kernel = basename(found.trim().split('\n').at(-1) ?? '')
    const initrd = kernel.replace('vmlinuz-', 'initrd.img-')
    const kernelPath = `${path}.vmlinuz`
    const initrdPath = `${path}.initrd`
    await run(['cp', join(tree, 'boot', kernel), kernelPath], signal)
    await run(['cp', join(tree, 'boot', initrd), initrdPath], signal)
    return { kernelPath, initrdPath }
  } finally {
    await removeTree(directory)
  }
}

async function makeDisk(path: string, bytes: number, tree: string, signal: AbortSignal): Promise<void> {
  await removeTree(path)
  await run(['truncate', '-s', String(bytes), path], signal)
  const kib = String((bytes - partitionStart) / 1024)
  const options = ['-q', '-F', '-t', 'ext4', '-d', tree, '-E', `offset=${partitionStart}`]
  await run(['mke2fs', ...options, path, `${kib}k`], signal)
  await truncate(path, bytes)
  const table = `label: dos\nstart=${partitionStart / 512}, type=83, bootable\n`
  await run(['sfdisk', '-q', path], signal, table)
}

/** A file system made of a folder, just large enough. */
export async function makeFolderDisk(path: string, folder: string, signal: AbortSignal): Promise<void> {
  const { stdout } = await runProcess(['du', '-sk', folder], { signal })
  const kib = Math.ceil(Number.parseInt(stdout, 10) * 1.1) + 4096
  await removeTree(path)
  await run(['mke2fs', '-q', '-F', '-t', 'ext4', '-d', folder, path, `${kib}k`], signal)
}

async function run(argv: readonly string[], signal: AbortSignal, stdin?: string): Promise<string> {
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' }
  const result = await runProcess(argv, { env, signal, ...(stdin === undefined ? {} : { stdin }) })
  if (result.exitCode === 0) return result.stdout
  const why = result.stderr.trim().split('\n').slice(-2).join('; ')
  throw infraError('E_DEBIAN_DISK', `${argv[0]} could not make the disk of a Debian system: ${why}`)
}
