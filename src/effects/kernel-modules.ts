import { readFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { infraError } from '../core/errors.ts'
import { moduleName, readBuiltin, readDepends } from '../core/host/kernel-modules.ts'
import { copyBeneath } from './beneath/copy.ts'
import { filesBelow } from './beneath/walk.ts'
import { readTextBeneath } from './beneath/read.ts'
import { runProcess } from './process.ts'

/** `…/lib/modules/RELEASE` of a kernel, which a build may have written: no link in it is followed. */
export interface ModulesFolder {
  /** A folder in whose own place nobody but fwbuild can put another. */
  readonly root: string
  /** Of the modules, below it. */
  readonly path: string
}

/** A module's file: its folder and the path from there. */
export interface ModuleFile {
  readonly folder: ModulesFolder
  readonly path: string
}

const suffix = /\.ko(?:\.(?:gz|xz|zst))?$/

/** The modules of one kernel by name. */
export function findModules(folder: ModulesFolder): ReadonlyMap<string, ModuleFile> {
  const files = filesBelow(folder.root, folder.path).filter((file) => suffix.test(file))
  return new Map(files.map((path) => [moduleName(path), { folder, path }]))
}

const maxListBytes = 1024 * 1024

/** Names of what is compiled into the kernel itself; none where the folder does not tell. */
export function builtinModules({ root, path }: ModulesFolder): ReadonlySet<string> {
  return readBuiltin(readTextBeneath(root, join(path, 'modules.builtin'), maxListBytes) ?? '')
}

/**
 * What a module says it depends on.
 * @param scratch directory for a copy
 * @throws infra E_PROGRAM_MISSING (kmod) | E_KERNEL_MODULE
 */
export async function moduleDepends(
  file: ModuleFile,
  scratch: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const copy = await copyOf(file, scratch, signal)
  return readDepends(await run(['modinfo', '-F', 'depends', copy], file.path, signal))
}

const maxModuleBytes = 1024 ** 3

async function copyOf({ folder, path }: ModuleFile, scratch: string, signal: AbortSignal): Promise<string> {
  const copy = join(scratch, basename(path))
  await copyBeneath(folder.root, join(folder.path, path), copy, { maxBytes: maxModuleBytes, signal })
  return copy
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
export async function readModule(
  file: ModuleFile,
  scratch: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const copy = await copyOf(file, scratch, signal)
  const decompress = decompressors[extname(copy)]
  if (decompress === undefined) return readFile(copy)
  await run([...decompress, copy], file.path, signal)
  return readFile(copy.slice(0, -extname(copy).length))
}

async function run(argv: readonly string[], path: string, signal: AbortSignal): Promise<string> {
  const result = await runProcess(argv, { signal })
  if (result.exitCode === 0) return result.stdout
  throw infraError('E_KERNEL_MODULE', `${path} cannot be read: ${result.stderr.trim()}`, { retryable: false })
}
