import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { infraError, messageOf, usageError } from '../core/errors.ts'
import { binaryString } from '../core/patch/lines.ts'
import { parseQuiltSeries } from '../core/patch/quilt-series.ts'
import { readPatch } from '../core/patch/read-patch.ts'
import type { NamedPatch } from '../core/patch/series.ts'

/** Larger files are no patches; the largest of the Linux kernel's releases stay below. */
const maxPatchBytes = 256 * 1024 * 1024

/** The name by which standard input goes. */
export const standardInput = '-'

/**
 * Loads patches: files, `-` (standard input), directories (their *.patch and *.diff in name order) and
 * quilt series files (named `series`, `series.*` or `*.series`, but for patches and mailboxes of such a name).
 * @param input what came on standard input
 * @throws usage E_PATCH_MISSING | E_PATCH_EMPTY | E_SERIES_SYNTAX, infra E_PATCH_READ
 */
export function loadPatches(
  names: readonly string[],
  cwd: string,
  input: Uint8Array = new Uint8Array(),
): NamedPatch[] {
  return names.flatMap((name) => {
    const path = resolve(cwd, name)
    if (name === standardInput) return [named('stdin', input)]
    if (isDirectory(path, name)) return loadDirectory(path)
    const bytes = readBytes(path)
    return isSeries(basename(path), bytes) ? loadSeries(path, bytes) : [named(basename(path), bytes, path)]
  })
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

function loadDirectory(directory: string): NamedPatch[] {
  const names = reading(directory, () => readdirSync(directory))
  const patches = names.filter(isPatch).sort()
  if (patches.length === 0) throw usageError('E_PATCH_EMPTY', `${directory} holds no *.patch and no *.diff`)
  return patches.map((name) => loadEntry(join(directory, name)))
}

function loadSeries(file: string, bytes: Buffer): NamedPatch[] {
  const entries = parseQuiltSeries(bytes.toString('utf8'))
  if ('reason' in entries) throw usageError('E_SERIES_SYNTAX', `${file}:${entries.line}: ${entries.reason}`)
  if (entries.length === 0) throw usageError('E_PATCH_EMPTY', `${file} names no patch`)
  return entries.map(({ name, ...options }) => ({
    ...loadEntry(resolve(dirname(file), name)),
    ...options,
  }))
}

/** One patch of several; an empty file counts as a patch without changes, as for quilt. */
function loadEntry(file: string): NamedPatch {
  expectRegular(file)
  const bytes = readBytes(file)
  const isEmpty = bytes.toString('latin1').trim() === ''
  return isEmpty
    ? { name: basename(file), patch: readPatch(binaryString(bytes)) }
    : named(basename(file), bytes, file)
}

function named(name: string, bytes: Uint8Array, shown: string = name): NamedPatch {
  const patch = readPatch(binaryString(bytes))
  if (patch.files.length === 0 && patch.problems.length === 0) {
    throw usageError('E_PATCH_EMPTY', `${shown} holds no patch`)
  }
  return { name, patch }
}

function readBytes(file: string): Buffer {
  return reading(file, () => {
    const stats = statSync(file)
    if (stats.isFile() && stats.size > maxPatchBytes) {
      throw usageError('E_PATCH_SIZE', `${file} is too large for a patch (${stats.size} bytes)`)
    }
    return readFileSync(file)
  })
}

/**
 * A FIFO or a device may never end, and gives what it gives once.
 * @throws usage E_PATCH_MISSING, infra E_PATCH_READ
 */
export function expectRegular(file: string): void {
  const stats = reading(file, () => statSync(file))
  if (!stats.isFile()) throw usageError('E_PATCH_MISSING', `${file} can be no patch: it is no regular file`)
}

function reading<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') throw missing(file, error)
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
    throw infraError('E_PATCH_READ', `${file} cannot be read: ${messageOf(error)}`, { cause: error })
  }
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
