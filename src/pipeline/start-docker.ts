import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cancelledError, FwbuildError, infraError } from '../core/errors.ts'
import { connectDocker } from '../effects/docker/client.ts'
import { type PrivilegedOptions, runPrivileged } from '../effects/privileged.ts'

type Env = Readonly<Record<string, string | undefined>>

export interface StartDockerOptions extends PrivilegedOptions {
  readonly env: Env
  /** The log of a daemon that no init system runs is kept below it. */
  readonly workDir: string
}

/** Who starts services on a machine. */
export type InitSystem = 'systemd' | 'sysv' | 'none'

/**
 * @param pid1 name of the first process (/proc/1/comm)
 * @param exists whether a path is there
 */
export function initSystemOf(pid1: string, exists: (path: string) => boolean): InitSystem {
  if (exists('/run/systemd/system')) return 'systemd'
  // In a container the first process may have any name; only init itself runs the scripts' runlevels.
  if (pid1 === 'init' && exists('/etc/inittab') && exists('/etc/init.d/docker')) return 'sysv'
  return 'none'
}

const answerTimeoutMs = 60_000
const pollMs = 500
/** How much of the log of a daemon that did not start is shown. */
const logLines = 5

/**
 * Makes sure that the installed Docker daemon runs: by the machine's init system, or where there is none as
 * a process of its own that outlives fwbuild.
 * @throws infra E_DOCKER_START with the end of the daemon's log, cancelled
 */
export async function startDocker(options: StartDockerOptions): Promise<void> {
  // A fresh package may be starting its service right now.
  if (await answersWithin(options, 2 * pollMs)) return
  const init = initSystemOf((await readFile('/proc/1/comm', 'utf8')).trim(), existsSync)
  const logPath = join(options.workDir, 'logs', 'dockerd.log')
  const starters = { systemd: startBySystemd, sysv: startBySysv, none: startByHand }
  const ended = await starters[init](options, logPath)
  if (await answersWithin(options, answerTimeoutMs, ended)) return
  const log = init === 'none' ? await readFile(logPath, 'utf8').catch(() => '') : ''
  const tail = log.trim().split('\n').slice(-logLines).join('\n')
  throw infraError(
    'E_DOCKER_START',
    `the Docker daemon was started and does not answer${tail && `:\n${tail}`}`,
    {
      hint:
        init === 'none'
          ? `Its log: ${logPath}. --engine host builds without containers.`
          : 'See `systemctl status docker` or /var/log. --engine host builds without containers.',
    },
  )
}

/** Aborted when the daemon is known to have ended, so that nobody waits for its answer. */
type Ended = AbortSignal

async function startBySystemd(options: StartDockerOptions): Promise<Ended> {
  const exitCode = await runPrivileged(['systemctl', 'start', 'docker'], {}, options)
  return exitCode === 0 ? new AbortController().signal : AbortSignal.abort()
}

async function startBySysv(options: StartDockerOptions): Promise<Ended> {
  const exitCode = await runPrivileged(['service', 'docker', 'start'], {}, options)
  return exitCode === 0 ? new AbortController().signal : AbortSignal.abort()
}

async function startByHand(options: StartDockerOptions, logPath: string): Promise<Ended> {
  options.onLine(`no init system runs here: starting dockerd (log: ${logPath})`)
  await mkdir(join(options.workDir, 'logs'), { recursive: true })
  if (existsSync('/usr/bin/cgroupfs-mount')) await runPrivileged(['cgroupfs-mount'], {}, options)
  const path = `${options.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`
  const isRoot = process.getuid?.() === 0
  const argv = [...(isRoot ? [] : ['sudo', '-n']), 'setsid', 'env', `PATH=${path}`, 'dockerd']
  const ended = new AbortController()
  const log = await open(logPath, 'a')
  try {
    const [program = '', ...args] = argv
    const daemon = spawn(program, args, { detached: true, stdio: ['ignore', log.fd, log.fd] })
    daemon.once('error', (error) => {
      options.onLine(`dockerd: ${error.message}`)
      ended.abort()
    })
    daemon.once('exit', () => ended.abort())
    daemon.unref()
  } finally {
    await log.close()
  }
  return ended.signal
}

async function answersWithin(options: StartDockerOptions, limitMs: number, ended?: Ended): Promise<boolean> {
  const { env, signal } = options
  for (let waitedMs = 0; waitedMs <= limitMs; waitedMs += pollMs) {
    try {
      await connectDocker(env, signal)
      return true
    } catch (error) {
      if (!(error instanceof FwbuildError) || error.kind === 'cancelled') throw error
      // It runs, and only this user may not talk to it: waiting will not change that.
      if (error.hint?.includes('group docker') === true) throw error
    }
    if (ended?.aborted === true) return false
    await sleep(pollMs, undefined, { signal }).catch(() => {
      throw cancelledError()
    })
  }
  return false
}
