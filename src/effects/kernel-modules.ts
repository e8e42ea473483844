import { copyFile, readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { infraError } from '../core/errors.ts'
import { moduleName, readBuiltin, readDepends } from '../core/host/kernel-modules.ts'
import { runProcess } from './process.ts'

/** The modules of one kernel: name to path. */
export async function findModules(directory: string): Promise<ReadonlyMap<string, string>> {
  const files = await readdir(directory, { recursive: true })
  return new Map(
    files
      .filter((file) => /\.ko(?:\.(?:gz|xz|zst))?$/.test(file))
      .map((file) => [moduleName(file), join(directory, file)]),
  )
}

/** Names of what is compiled into the kernel itself; none where the directory does not tell. */
export async function builtinModules(directory: string): Promise<ReadonlySet<string>> {
  return readBuiltin(await readFile(join(directory, 'modules.builtin'), 'utf8').catch(() => ''))
}

/**
 * What a module says it depends on.
 * @throws infra E_PROGRAM_MISSING (kmod) | E_KERNEL_MODULE
 */
export async function moduleDepends(path: string, signal: AbortSignal): Promise<readonly string[]> {
  return readDepends(await run(['modinfo', '-F', 'depends', path], path, signal))
}

const decompressors: Readonly<Record<string, readonly string[]>> = {
  '.gz': ['gzip', '-d', '-f'],
  '.xz': ['xz', '-d', '-f'],
  '.zst': ['zstd', '-d', '-f', '-q', '--rm'],
}

/**
 * A module's bytes, decompressed: BusyBox knows not all of the kernel's formats.
 * @param scratch directory for a copy
 * @throws infra E_PROGRAM_MISSING | E_KERNEL_MODULE
 */
export async function readModule(path: string, scratch: string, signal: AbortSignal): Promise<Uint8Array> {
  const decompress = decompressors[extname(path)]
  if (decompress === undefined) return readFile(path)
  const plain = join(scratch, `${moduleName(path)}.ko`)
  const packed = `${plain}${extname(path)}`
  await copyFile(path, packed)
  await run([...decompress, packed], path, signal)
  return readFile(plain)
}

async function run(argv: readonly string[], path: string, signal: AbortSignal): Promise<string> {
  const result = await runProcess(argv, { signal })
  if (result.exitCode === 0) return result.stdout
  throw infraError('E_KERNEL_MODULE', `${path} cannot be read: ${result.stderr.trim()}`, { retryable: false })
}
