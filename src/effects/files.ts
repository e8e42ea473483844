import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { chmod, lstat, mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { cancelledError, infraError, messageOf } from '../core/errors.ts'
import { runProcess } from './process.ts'

/**
 * Writes a whole file so that a reader, or a crash, sees the old content or the new, never a part.
 * Missing parent directories are made.
 * @throws infra E_DISK_FULL | E_FILE_WRITE
 */
export async function atomicWrite(
  path: string,
  content: string | Uint8Array,
  options: { readonly mode?: number } = {},
): Promise<void> {
  await replaceFile(path, async (temporary) => {
    const file = await open(temporary, 'wx', options.mode ?? 0o644)
    try {
      await file.writeFile(content)
    } finally {
      await file.close()
    }
  })
}

/**
 * Lets `produce` make a file under a temporary name beside `path` and moves it there, synced to disk,
 * only when it succeeded; otherwise removes it. Missing parent directories are made.
 * @throws what `produce` throws; infra E_DISK_FULL | E_FILE_WRITE for errors of the file system
 */
export async function replaceFile<T>(path: string, produce: (temporary: string) => Promise<T>): Promise<T> {
  const directory = dirname(path)
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await mkdir(directory, { recursive: true })
    const result = await produce(temporary)
    await syncToDisk(temporary)
    await rename(temporary, path)
    await syncToDisk(directory)
    return result
  } catch (error) {
    // Nothing may hide the first error.
    await rm(temporary, { force: true }).catch(() => {})
    throw fileError(path, error)
  }
}

async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Errors of the file system as infra E_DISK_FULL | E_FILE_WRITE; anything else as it is. */
export function fileError(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return infraError('E_DISK_FULL', `no space left while writing ${path}`, {
      cause: error,
      hint: 'Free some space and run the same command again; it continues where it stopped.',
      retryable: true,
    })
  }
  if (code !== undefined && (error as NodeJS.ErrnoException).syscall !== undefined) {
    return infraError('E_FILE_WRITE', `${path} cannot be written: ${messageOf(error)}`, { cause: error })
  }
  return error
}

/** What the machine may do to any file, wherever it was met. */
const machineErrors = ['EACCES', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE', 'ENOSPC', 'EPERM', 'EROFS', 'ESTALE']

/** An error of the file system that nobody translated, as an infra error; anything else as it is. */
export function systemError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { code, path, syscall } = error as NodeJS.ErrnoException
  if (code === undefined || syscall === undefined || !machineErrors.includes(code)) return error
  if (code === 'ENOSPC' || code === 'EDQUOT') return fileError(path ?? 'a file', error)
  return infraError('E_FILE', messageOf(error), { cause: error })
}

/** Lower-case hex sha256 of a file's bytes, streamed. */
export async function sha256File(path: string, options: { signal?: AbortSignal } = {}): Promise<string> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, options)
  } catch (error) {
    throw options.signal?.aborted === true ? cancelledError() : error
  }
  return hash.digest('hex')
}

/** Bytes that this user can still write on the file system of `path` or of its nearest existing parent. */
export async function freeDiskBytes(path: string): Promise<number> {
  try {
    const stats = await statfs(path)
    return stats.bavail * stats.bsize
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error
    return freeDiskBytes(dirname(path))
  }
}

/** Space that files and directories take up on their disks; what is absent takes none. */
export async function diskUsageBytes(paths: readonly string[], signal: AbortSignal): Promise<number> {
  const present = paths.filter((path) => existsSync(path))
  if (present.length === 0) return 0
  // Files that come and go meanwhile make du fail after it has counted the rest.
  const { stdout } = await runProcess(['du', '-sck', '--', ...present], { signal })
  return Number(/^(\d+)\ttotal$/m.exec(stdout)?.[1] ?? 0) * 1024
}

/** Removes a file or a directory with all below it, also where directories are read-only; absent is fine. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'EACCES' && code !== 'EPERM') throw error
    await makeDirectoriesWritable(path)
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function makeDirectoriesWritable(path: string): Promise<void> {
  const stats = await lstat(path)
  if (!stats.isDirectory()) return
  await chmod(path, 0o700)
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeDirectoriesWritable(join(path, entry.name))
  }
}
