import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import path from 'node:path'
import { buildError, infraError, messageOf } from '../core/errors.ts'
import {
  executableMode,
  type FileState,
  type ReadFile,
  regularMode,
  symlinkMode,
} from '../core/patch/file-state.ts'

const executableBits = 0o111
const missing = new Set(['ENOENT', 'ENOTDIR'])

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? ''

/**
 * Reads names of a directory tree for the patch engine. No symbolic link is followed: a link is read as
 * such, and the engine refuses names below one.
 * @returns a function that throws a FwbuildError (build, E_PATCH_READ) for what can not be read
 */
export function readTree(root: string): ReadFile {
  return (name) => {
    const file = path.join(root, name)
    try {
      const stat = fs.lstatSync(file)
      if (stat.isSymbolicLink()) {
        return { bytes: fs.readlinkSync(file, 'buffer'), mode: symlinkMode, kind: 'symlink' }
      }
      if (!stat.isFile()) return { bytes: Buffer.alloc(0), mode: stat.mode, kind: 'other' }
      const mode = (stat.mode & executableBits) === 0 ? regularMode : executableMode
      return { bytes: fs.readFileSync(file), mode, kind: 'file' }
    } catch (error) {
      if (missing.has(codeOf(error))) return undefined
      throw buildError('E_PATCH_READ', `${file} can not be read: ${messageOf(error)}`, { cause: error })
    }
  }
}

/** Larger blobs are no text that a patch is for. */
const maxBlobBytes = 64 * 1024 * 1024

/**
 * Reads blobs of the git repository that a tree lies in, for three-way placement.
 * @returns a function that gives undefined where there is no repository, no git, or no such blob
 */
export function readBlobs(root: string): (id: string) => Uint8Array | undefined {
  return (id) => {
    if (!/^[0-9a-f]{7,64}$/.test(id)) return undefined
    const run = spawnSync('git', ['-C', root, 'cat-file', 'blob', id], {
      maxBuffer: maxBlobBytes,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return run.status === 0 ? run.stdout : undefined
  }
}

/** One name on its way: the new content is staged first, the old is kept until all are in place. */
interface Change {
  readonly file: string
  readonly staged: string | undefined
  readonly kept: string
}

/**
 * Writes changed files to a tree: all or none of them. Everything is staged beside its target before the
 * first name changes; when a step fails, what was done is undone.
 * @param changes by name; undefined removes the file (and directories that this leaves empty)
 * @throws FwbuildError (infra, E_PATCH_WRITE) with the tree as it was
 */
export function writeTree(root: string, changes: ReadonlyMap<string, FileState | undefined>): void {
  const mark = `.fwbuild-${randomBytes(6).toString('hex')}`
  const made: string[] = []
  const staged: Change[] = []
  const done: Change[] = []
  try {
    for (const [name, state] of changes) staged.push(stage(root, name, state, mark, made))
    for (const change of staged) {
      exchange(change)
      done.push(change)
    }
  } catch (error) {
    for (const change of done.toReversed()) undo(change)
    for (const { staged: temporary } of staged)
      if (temporary !== undefined) fs.rmSync(temporary, { force: true })
    for (const folder of made.toReversed()) removeIfEmpty(folder)
    throw infraError('E_PATCH_WRITE', `the tree ${root} can not be written: ${messageOf(error)}`, {
      hint: 'Nothing was changed. Check permissions and free space.',
      cause: error,
      retryable: false,
    })
  }
  for (const { kept } of done) fs.rmSync(kept, { force: true })
  for (const [name, state] of changes) if (state === undefined) removeEmptyParents(root, name)
}

function stage(
  root: string,
  name: string,
  state: FileState | undefined,
  mark: string,
  made: string[],
): Change {
  const file = path.join(root, name)
  const folder = path.dirname(file)
  checkParents(root, name)
  if (state === undefined) return { file, staged: undefined, kept: `${file}${mark}.old` }
  const first = fs.mkdirSync(folder, { recursive: true })
  if (first !== undefined) noteFolders(first, folder, made)
  const temporary = `${file}${mark}.new`
  if (state.kind === 'symlink') fs.symlinkSync(Buffer.from(state.bytes), temporary)
  else {
    fs.writeFileSync(temporary, state.bytes, { flag: 'wx', mode: 0o666 })
    fs.chmodSync(temporary, permissions(file, temporary, state.mode))
  }
  return { file, staged: temporary, kept: `${file}${mark}.old` }
}

/** Only the executable bits are the patch's business; a new file gets what the umask leaves. */
function permissions(file: string, temporary: string, mode: number): number {
  const old = fs.lstatSync(file, { throwIfNoEntry: false })
  const base = (old?.isFile() === true ? old : fs.lstatSync(temporary)).mode & 0o777
  const readable = base & 0o444
  return mode === executableMode ? base | (readable >> 2) : base & ~executableBits
}

/** The engine looked before; a link that came since must not be followed either. */
function checkParents(root: string, name: string): void {
  const parts = name.split('/')
  for (let count = 1; count < parts.length; count++) {
    const folder = path.join(root, ...parts.slice(0, count))
    const stat = fs.lstatSync(folder, { throwIfNoEntry: false })
    if (stat === undefined) return
    if (!stat.isDirectory()) throw new Error(`${folder} is not a directory`)
  }
}

function noteFolders(first: string, last: string, made: string[]): void {
  const folders = [last]
  for (let folder = last; folder !== first;) {
    folder = path.dirname(folder)
    folders.push(folder)
  }
  made.push(...folders.toReversed())
}

function exchange({ file, staged, kept }: Change): void {
  const existed = fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined
  if (existed) fs.renameSync(file, kept)
  if (staged === undefined) return
  try {
    fs.renameSync(staged, file)
  } catch (error) {
    if (existed) fs.renameSync(kept, file)
    throw error
  }
}

function undo({ file, kept }: Change): void {
  if (fs.lstatSync(kept, { throwIfNoEntry: false }) === undefined) fs.rmSync(file, { force: true })
  else fs.renameSync(kept, file)
}

function removeIfEmpty(folder: string): boolean {
  try {
    fs.rmdirSync(folder)
    return true
  } catch {
    return false
  }
}

function removeEmptyParents(root: string, name: string): void {
  for (let folder = path.dirname(name); folder !== '.'; folder = path.dirname(folder)) {
    if (!removeIfEmpty(path.join(root, folder))) return
  }
}
