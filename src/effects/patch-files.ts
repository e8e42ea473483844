import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { infraError, messageOf, usageError } from '../core/errors.ts'
import { binaryString } from '../core/patch/lines.ts'
import { parseQuiltSeries } from '../core/patch/quilt-series.ts'
import type { PatchDocument } from '../core/patch/model.ts'
import { readPatchSteps } from '../core/patch/read-patch.ts'
import type { NamedPatch } from '../core/patch/series.ts'
import { type Allowance, maxPatchBytes, readPatchFile } from './patch-bytes.ts'
import { pacer } from './pace.ts'
import { inSlices } from './slices.ts'

/** The name by which standard input goes. */
export const standardInput = '-'

/**
 * Loads patches: files, `-` (standard input), directories (their *.patch and *.diff in name order) and
 * quilt series files (named `series`, `series.*` or `*.series`, but for patches and mailboxes of such a name).
 * @param input what came on standard input
 * @throws usage E_PATCH_MISSING | E_PATCH_EMPTY | E_PATCH_KIND | E_PATCH_SIZE | E_SERIES_SYNTAX, infra E_PATCH_READ;
 *   cancelled
 */
export async function loadPatches(
  names: readonly string[],
  cwd: string,
  { input = new Uint8Array(), signal }: { readonly input?: Uint8Array; readonly signal?: AbortSignal } = {},
): Promise<NamedPatch[]> {
  const source: Source = {
    allowance: { leftBytes: maxPatchBytes - input.length },
    signal,
    pause: pacer(signal),
  }
  const loaded: NamedPatch[] = []
  for (const name of names) {
    const path = resolve(cwd, name)
    if (name === standardInput) loaded.push(await named('stdin', input, source))
    else
      loaded.push(
        ...(isDirectory(path, name) ? await loadDirectory(path, source) : await loadFile(path, source)),
      )
  }
  return loaded
}

interface Source {
  readonly allowance: Allowance
  readonly signal: AbortSignal | undefined
  readonly pause: () => Promise<void>
}

async function loadFile(path: string, source: Source): Promise<readonly NamedPatch[]> {
  const bytes = await readBytes(path, source)
  return isSeries(basename(path), bytes)
    ? await loadSeries(path, bytes, source)
    : [await named(basename(path), bytes, source, path)]
}

/** Whether a file is a list of patches: its name says so, and it does not hold a patch or mail itself. */
const isSeries = (name: string, bytes: Buffer): boolean =>
  /^series(\..*)?$|\.series$/.test(name) && !isPatch(name) && !holdsPatch.test(bytes.toString('latin1'))

/** A mail's first line (or mbox's ahead of it), or the header of a change. */
const holdsPatch = /^\s*(?:From |[A-Za-z][A-Za-z-]*: )|(?:^|\n)(?:diff --git |--- .*\n\+\+\+ )/

const isPatch = (name: string): boolean => /\.(patch|diff)$/.test(name)

function isDirectory(path: string, name: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (cause) {
    throw missing(name, cause)
  }
}

async function loadDirectory(directory: string, source: Source): Promise<NamedPatch[]> {
  const names = readNames(directory)
  const patches = names.filter(isPatch).sort()
  if (patches.length === 0) throw usageError('E_PATCH_EMPTY', `${directory} holds no *.patch and no *.diff`)
  const loaded: NamedPatch[] = []
  for (const name of patches) loaded.push(await loadEntry(join(directory, name), source))
  return loaded
}

function readNames(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    throw unreadable(directory, error)
  }
}

async function loadSeries(file: string, bytes: Buffer, source: Source): Promise<NamedPatch[]> {
  const entries = parseQuiltSeries(bytes.toString('utf8'))
  if ('reason' in entries) throw usageError('E_SERIES_SYNTAX', `${file}:${entries.line}: ${entries.reason}`)
  if (entries.length === 0) throw usageError('E_PATCH_EMPTY', `${file} names no patch`)
  const loaded: NamedPatch[] = []
  for (const { name, ...options } of entries) {
    loaded.push({ ...(await loadEntry(resolve(dirname(file), name), source)), ...options })
  }
  return loaded
}

/** One patch of several; an empty file counts as a patch without changes, as for quilt. */
async function loadEntry(file: string, source: Source): Promise<NamedPatch> {
  await source.pause()
  expectRegular(file)
  const bytes = await readBytes(file, source)
  const isEmpty = bytes.toString('latin1').trim() === ''
  if (!isEmpty) return named(basename(file), bytes, source, file)
  return { name: basename(file), patch: await parsed(bytes, source) }
}

const parsed = (bytes: Uint8Array, { signal }: Source): Promise<PatchDocument> =>
  inSlices(readPatchSteps(binaryString(bytes)), signal)

async function named(
  name: string,
  bytes: Uint8Array,
  source: Source,
  shown: string = name,
): Promise<NamedPatch> {
  const patch = await parsed(bytes, source)
  if (patch.files.length === 0 && patch.problems.length === 0) {
    throw usageError('E_PATCH_EMPTY', `${shown} holds no patch`)
  }
  return { name, patch }
}

async function readBytes(file: string, { allowance, signal }: Source): Promise<Buffer> {
  try {
    return await readPatchFile(file, allowance, signal)
  } catch (error) {
    throw unreadable(file, error)
  }
}

/**
 * A FIFO or a device may never end, and gives what it gives once.
 * @throws usage E_PATCH_MISSING, infra E_PATCH_READ
 */
export function expectRegular(file: string): void {
  if (!isRegular(file)) throw usageError('E_PATCH_MISSING', `${file} can be no patch: it is no regular file`)
}

function isRegular(file: string): boolean {
  try {
    return statSync(file).isFile()
  } catch (error) {
    throw unreadable(file, error)
  }
}

function unreadable(file: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') return missing(file, error)
  if (syscall === undefined) return error
  return infraError('E_PATCH_READ', `${file} cannot be read: ${messageOf(error)}`, { cause: error })
}

const missing = (file: string, cause: unknown): Error =>
  usageError('E_PATCH_MISSING', `there is no patch ${file}`, { cause })

/**
 * Writes a patch (binary string) as a whole or not at all; missing parent directories are made.
 * @throws infra E_PATCH_WRITE
 */
export function writePatch(file: string, text: string): void {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(temporary, text, { encoding: 'latin1', flag: 'wx' })
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw infraError('E_PATCH_WRITE', `${file} cannot be written: ${messageOf(error)}`, { cause: error })
  }
}
