import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { realpath } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { cancelledError, infraError } from '../core/errors.ts'
import { makeFolderBeneath } from './beneath/write.ts'
import type { BuildUser, Engine, ExecOptions, ExecResult, Session, SessionSpec, Terminal } from './engine.ts'
import { stopMarked } from './marked-processes.ts'
import { makeMountSources } from './mounts.ts'
import { runProcess, timeoutError } from './process.ts'
import { limitedSignal } from './time-limit.ts'

type Env = Readonly<Record<string, string | undefined>>

/** What a build sees of the caller's environment; the rest would make it depend on the machine. */
const inheritedVariables = ['PATH', 'TERM', 'SSL_CERT_FILE'] as const
const proxyVariables = ['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy'] as const

/** Environment variables by which processes of a work directory, and of one command, are found. */
const workDirMarker = 'FWBUILD_WORKDIR'
const execMarker = 'FWBUILD_EXEC'

const killGraceMs = 3000

/**
 * Runs builds directly on this machine, for machines without a container engine. Paths are the same inside;
 * there is no isolation: every command has the machine's network and sees its processes.
 * @param env environment of the caller
 */
export function hostEngine(env: Env): Engine {
  return {
    kind: 'host',
    require: () => Promise.resolve(),
    sweep: async (workDir) => {
      const marker = `${workDirMarker}=${await realpath(workDir).catch(() => workDir)}`
      const stopped = await stopMarked(marker, killGraceMs)
      return stopped.map(({ pid, command }) => `process ${pid} (${command})`)
    },
    open: async (spec, signal) => {
      if (signal.aborted) throw cancelledError()
      if (spec.limits?.asked === true)
        spec.note?.('--memory and --pids limit containers: --engine host has neither')
      await makeMountSources(spec)
      // As in a container, the caller's own settings (~/.gitconfig) have no part in a build.
      makeFolderBeneath(spec.workDir, 'home', { owner: spec.user })
      await requireAccess(spec, signal)
      return sessionOf(spec, env, join(spec.workDir, 'home'), await realpath(spec.workDir))
    },
  }
}

function sessionOf(spec: SessionSpec, env: Env, home: string, workDir: string): Session {
  const baseEnv = { ...pick(env, inheritedVariables), HOME: home, ...spec.env }

  const exec = async (argv: readonly string[], options: ExecOptions): Promise<ExecResult> => {
    const { signal, timeoutMs } = options
    const id = randomUUID()
    const online = options.network === 'online' ? pick(env, proxyVariables) : {}
    using limited = limitedSignal(signal, timeoutMs)
    const stop = limited.signal
    // Stopping the process group is not enough: members that left it would go on, and hold our pipes.
    let stopping: Promise<unknown> = Promise.resolve()
    const onStop = (): void => {
      stopping = stopMarked(`${execMarker}=${id}`, killGraceMs)
      stopping.catch(() => {})
    }
    stop.addEventListener('abort', onStop, { once: true })
    try {
      const { exitCode } = await runProcess(asUser(argv, spec.user), {
        cwd: options.cwd,
        env: { ...baseEnv, ...online, ...options.env, [workDirMarker]: workDir, [execMarker]: id },
        signal,
        ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      })
      // The markers may have stopped it before runProcess's own limit noticed.
      if (signal.aborted) throw cancelledError()
      if (stop.aborted) throw timeoutError(argv[0] ?? '', timeoutMs ?? 0)
      return { exitCode }
    } finally {
      stop.removeEventListener('abort', onStop)
      await stopping
    }
  }

  const interactive = async (argv: readonly string[], cwd: string, _terminal: Terminal): Promise<number> => {
    const [program = '', ...args] = asUser(argv, spec.user)
    const child = spawn(program, args, { cwd, env: baseEnv, stdio: 'inherit' })
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return code ?? 128 + (signal === null ? 0 : constants.signals[signal])
  }

  return {
    exec,
    inside: (path) => path,
    interactive,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** Gives a command the umask of a build and, where root runs fwbuild, the build user's ids. */
function asUser(argv: readonly string[], { uid, gid }: BuildUser): readonly string[] {
  const command = ['/bin/sh', '-c', 'umask 022; exec "$@"', 'sh', ...argv]
  if (process.getuid?.() !== 0) return command
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs', '--', ...command]
}

/** Prints the first of its arguments that cannot be entered and read. */
const findBarred = 'for d; do [ -r "$d" ] && [ -x "$d" ] || { printf %s "$d"; exit 1; }; done'

/**
 * Root can enter a directory below one that is closed to others; who builds for it cannot.
 * @throws infra E_BUILD_USER
 */
async function requireAccess({ mounts, user }: SessionSpec, signal: AbortSignal): Promise<void> {
  const sources = mounts.map(({ source }) => source)
  const argv = asUser(['/bin/sh', '-c', findBarred, 'sh', ...sources], user)
  const { exitCode, stdout, stderr } = await runProcess(argv, { cwd: '/', signal })
  if (exitCode === 0) return
  const why = stdout === '' ? stderr.trim() : `it cannot enter ${stdout}`
  throw infraError('E_BUILD_USER', `without containers the build runs as uid ${user.uid}, but ${why}`, {
    hint: 'let others enter the directories above it (chmod o+x), name other places (--work, --dl), or build as an ordinary user',
    retryable: false,
  })
}

function pick(env: Env, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {}
  for (const name of names) {
    const value = env[name]
    if (value !== undefined) picked[name] = value
  }
  return picked
}
