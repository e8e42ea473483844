import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { access, constants, link, mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { infraError, messageOf } from '../core/errors.ts'

interface Holder {
  readonly pid: number
  readonly host: string
  /** Start of the process in clock ticks since boot: a recycled pid has another. */
  readonly startTicks: string
  readonly since: string
  readonly command: string
}

export interface WorkLock extends AsyncDisposable {
  /**
   * True when a holder died without letting go and nobody has cleared up after it yet: it may have left a
   * container behind.
   */
  readonly holderCrashed: boolean
  /** Call it when what the dead holder left is gone; until then every later holder is told of the crash. */
  readonly clearedUp: () => Promise<void>
}

/**
 * Takes the one lock of a work directory.
 * @throws infra E_WORK_LOCKED that names the holder; E_WORK_DIR
 */
export async function takeWorkLock(workDir: string, command: string): Promise<WorkLock> {
  try {
    await makeDirectory(workDir)
    await access(workDir, constants.W_OK)
  } catch (error) {
    throw unusable(error)
  }
  const taken = await takeLock(join(workDir, 'lock'), command)
  if ('holder' in taken) {
    const { pid, host, command: theirs, since } = taken.holder
    throw infraError('E_WORK_LOCKED', `${workDir} is in use by process ${pid} on ${host}`, {
      retryable: true,
      hint: `it runs ‘${theirs}’ since ${since}; wait for it, stop it, or use another --work`,
    })
  }
  return taken.lock
}

/**
 * Takes a lock file, also from a holder that is dead. While it is taken, other names that begin with `path` are
 * there for moments.
 * @returns the lock, or the living process that has it
 */
export async function takeLock(
  path: string,
  command: string,
): Promise<{ readonly lock: WorkLock } | { readonly holder: Holder }> {
  const own: Holder = {
    pid: process.pid,
    host: hostname(),
    startTicks: await startTicks(process.pid),
    since: new Date().toISOString(),
    command,
  }
  const holder = await acquire(path, own)
  if (holder !== undefined) return { holder }
  const lock = {
    holderCrashed: existsSync(crashMark(path)),
    clearedUp: () => rm(crashMark(path), { force: true }),
    [Symbol.asyncDispose]: () => rm(path, { force: true }),
  }
  return { lock }
}

/** Stays from when a dead holder was found until somebody cleared up after it. */
const crashMark = (path: string): string => join(dirname(path), 'lock.crashed')

/** Node's own recursive mkdir never ends where the kernel lets nobody make directories (/proc, /sys). */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error
    await makeDirectory(dirname(path))
    await mkdir(path)
  }
}

const clearingPollMs = 10

/** @returns the living holder where there is one */
async function acquire(path: string, own: Holder): Promise<Holder | undefined> {
  for (;;) {
    if (await claim(path, own)) return undefined
    const text = await readText(path)
    // Let go between the two looks.
    if (text === undefined) continue
    const holder = parseHolder(text)
    if (holder !== undefined && (await isAlive(holder))) return holder
    await clear(path, text, own)
  }
}

/**
 * Removes the lock of a dead holder. Of several that found it dead one may do so, and only while the lock is
 * still that very one: otherwise the lock that another just took would be removed.
 */
async function clear(path: string, text: string, own: Holder): Promise<void> {
  const right = `${path}.${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  if ((await acquire(right, own)) !== undefined) return sleep(clearingPollMs)
  try {
    if ((await readText(path)) !== text) return
    await writeFile(crashMark(path), '')
    await rm(path, { force: true })
  } finally {
    await rm(right, { force: true })
  }
}

/** Makes the lock file whole or not at all: a link fails where one exists. */
async function claim(path: string, own: Holder): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}`
  try {
    await writeFile(temporary, `${JSON.stringify(own)}\n`)
    await link(temporary, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

const unusable = (cause: unknown): Error =>
  infraError('E_WORK_DIR', `the work directory cannot be used: ${messageOf(cause)}`, {
    cause,
    retryable: false,
    hint: 'name another with --work DIR',
  })

/** Text of a lock file. What is none, a link that leads nowhere or a FIFO, can never be taken nor read to its end. */
async function readText(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      if (!(await file.stat()).isFile()) throw unusable(`${path} is no regular file; remove it`)
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (syscall === undefined) throw error
    throw unusable(code === 'ELOOP' ? `${path} is a symbolic link; remove it` : error)
  }
}

/** `undefined` for a damaged file. */
function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder> | null
    return typeof value?.pid === 'number' ? (value as Holder) : undefined
  } catch {
    return undefined
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  // A work directory shared between machines: the other machine's processes can't be seen from here.
  if (holder.host !== hostname()) return true
  return existsSync(`/proc/${holder.pid}`) && (await startTicks(holder.pid)) === holder.startTicks
}

/** Field 22 of /proc/PID/stat (proc_pid_stat(5)); the name in field 2 may hold spaces. */
async function startTicks(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
