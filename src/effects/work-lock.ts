import { existsSync } from 'node:fs'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { infraError } from '../core/errors.ts'

interface Holder {
  readonly pid: number
  readonly host: string
  /** Start of the process in clock ticks since boot: a recycled pid has another. */
  readonly startTicks: string
  readonly since: string
  readonly command: string
}

export interface WorkLock extends AsyncDisposable {
  /** True when the last holder died without letting go: it may have left a container behind. */
  readonly holderCrashed: boolean
}

/**
 * Takes the one lock of a work directory.
 * @throws infra E_WORK_LOCKED that names the holder
 */
export async function takeWorkLock(workDir: string, command: string): Promise<WorkLock> {
  await mkdir(workDir, { recursive: true })
  const path = join(workDir, 'lock')
  const own: Holder = {
    pid: process.pid,
    host: hostname(),
    startTicks: await startTicks(process.pid),
    since: new Date().toISOString(),
    command,
  }
  let holderCrashed = false
  for (;;) {
    if (await claim(path, own)) break
    const holder = await readHolder(path)
    if (holder !== undefined && (await isAlive(holder))) {
      throw infraError('E_WORK_LOCKED', `${workDir} is in use by process ${holder.pid} on ${holder.host}`, {
        retryable: true,
        hint: `it runs ‘${holder.command}’ since ${holder.since}; wait for it, stop it, or use another --work`,
      })
    }
    holderCrashed = true
    await rm(path, { force: true })
  }
  return { holderCrashed, [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}

/** Makes the lock file whole or not at all: a link fails where one exists. */
async function claim(path: string, own: Holder): Promise<boolean> {
  const temporary = `${path}.${own.pid}`
  await writeFile(temporary, `${JSON.stringify(own)}\n`)
  try {
    await link(temporary, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder
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
