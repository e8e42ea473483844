import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import { statSync } from 'node:fs'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { cancelledError, infraError, messageOf } from '../core/errors.ts'
import { debianPackageOf } from '../core/host/programs.ts'
import { LineSplitter, Tail } from './process-output.ts'
import { environmentFor, withRights, type StartRights } from './step-down.ts'

export interface ProcessOptions extends StartRights {
  readonly cwd?: string
  /** The whole environment of the process; default: ours, or next to nothing where it steps down. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Aborting stops the whole process group and makes the call throw `cancelled`. */
  readonly signal?: AbortSignal
  /** Text or bytes to feed; default: /dev/null. */
  readonly stdin?: string | Uint8Array
  /** Called for each complete line, without its line end, and for an unfinished last one. */
  readonly onLine?: (line: string, stream: 'out' | 'err') => void
  /** Stops the process group and throws E_PROCESS_TIMEOUT; default: no limit. */
  readonly timeoutMs?: number
  /** Between TERM and KILL when stopping; default 3 s. */
  readonly killGraceMs?: number
  /**
   * Open files that it gets as descriptors 3, 4, …; they stay the caller's to close. A program that may not enter
   * the folders above a file can still use it as /dev/fd/3, as far as the file's own mode lets it.
   */
  readonly files?: readonly number[]
  /** How much of the end of each stream is kept in the result; default 256 KiB. */
  readonly tailBytes?: number
}

export interface ProcessResult {
  /** 0…255; 128 + signal number when a signal ended the process. */
  readonly exitCode: number
  /** The end of standard output, at most `tailBytes` long. */
  readonly stdout: string
  readonly stderr: string
  /** True when `stdout` lacks its beginning. */
  readonly stdoutTruncated: boolean
  readonly durationMs: number
}

const defaultKillGraceMs = 3000
const defaultTailBytes = 256 * 1024

/**
 * Runs a program to its end, in its own process group.
 * @param argv program and arguments; never goes through a shell
 * @returns exit code and bounded ends of both streams; a non-zero exit is a result, not an error
 * @throws infra E_PROGRAM_MISSING | E_PROCESS_START | E_PROCESS_TIMEOUT, cancelled
 */
export async function runProcess(
  argv: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const startedMs = performance.now()
  const tails = {
    out: new Tail(options.tailBytes ?? defaultTailBytes),
    err: new Tail(options.tailBytes ?? defaultTailBytes),
  }
  const running = await startProcess(argv, options)
  const listen = (stream: Readable, name: 'out' | 'err'): LineSplitter => {
    const lines = new LineSplitter((line) => options.onLine?.(line, name))
    stream.on('data', (chunk: Buffer) => {
      tails[name].add(chunk)
      if (options.onLine !== undefined) lines.add(chunk)
    })
    return lines
  }
  const splitters = [listen(running.stdout, 'out'), listen(running.stderr, 'err')]
  if (options.stdin !== undefined) running.writeStdin(options.stdin)
  running.endStdin()
  const exitCode = await running.done
  for (const splitter of splitters) splitter.end()
  return {
    exitCode,
    stdout: tails.out.text(),
    stderr: tails.err.text(),
    stdoutTruncated: tails.out.truncated,
    durationMs: Math.round(performance.now() - startedMs),
  }
}

/** A process that is talked to while it runs. */
export interface RunningProcess {
  readonly pid: number
  readonly stdout: Readable
  readonly stderr: Readable
  /** Writing to a process that is gone is silently dropped; its exit tells. */
  readonly writeStdin: (data: string | Uint8Array) => void
  readonly endStdin: () => void
  /** Exit code once the process ended and its streams closed; throws as runProcess does. */
  readonly done: Promise<number>
  /** Ends the process group: TERM, then KILL after the grace; resolves when it is gone. */
  readonly stop: () => Promise<void>
}

/**
 * Starts a program in its own process group, with all three streams as pipes.
 * @throws infra E_PROGRAM_MISSING | E_PROCESS_START, cancelled when the signal was aborted before
 */
export async function startProcess(
  argv: readonly string[],
  options: Omit<ProcessOptions, 'stdin' | 'onLine' | 'tailBytes'> = {},
): Promise<RunningProcess> {
  const [program] = argv
  if (program === undefined) throw new TypeError('empty argument array')
  if (options.signal?.aborted === true) throw cancelledError()
  const env = options.env ?? environmentFor(options)
  const words = withRights(argv, env, options)
  if ('missing' in words) throw missingProgram(words.missing)
  const [started = program, ...args] = words
  const child = spawn(started, args, {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', ...(options.files ?? [])],
    env: { ...env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  }) as ChildProcessByStdio<Writable, Readable, Readable>
  // Both are made before the first await, so that no event is missed.
  const closed = new Promise<number>((resolve) => {
    child.once('close', (code, signal) => resolve(exitCodeOf(code, signal)))
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (error) => reject(startError(started, options.cwd, error)))
  })
  // EPIPE: the process ended without reading all of its input; its exit code says why.
  child.stdin.on('error', () => {})
  const group = new ProcessGroup(child, options.killGraceMs ?? defaultKillGraceMs)
  const done = supervise(closed, group, program, options)
  // A caller that only stops the process need not look at how it ended.
  done.catch(() => {})
  return {
    pid: group.pid,
    stdout: child.stdout,
    stderr: child.stderr,
    writeStdin: (data) => void child.stdin.write(data),
    endStdin: () => void child.stdin.end(),
    done,
    stop: async () => {
      group.stop()
      await closed
      group.finish()
    },
  }
}

async function supervise(
  closed: Promise<number>,
  group: ProcessGroup,
  program: string,
  options: Pick<ProcessOptions, 'signal' | 'timeoutMs'>,
): Promise<number> {
  const { signal, timeoutMs } = options
  const onAbort = (): void => group.stop()
  let timedOut = false
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true
          group.stop()
        }, timeoutMs)
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted === true) group.stop()
  try {
    const exitCode = await closed
    if (signal?.aborted === true) throw cancelledError()
    if (timedOut) {
      throw timeoutError(program, timeoutMs ?? 0)
    }
    return exitCode
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    group.finish()
  }
}

/** What a process that overran its limit fails with. */
export const timeoutError = (program: string, timeoutMs: number): Error =>
  infraError('E_PROCESS_TIMEOUT', `${program} did not end within ${timeoutMs / 1000} s`, { retryable: true })

/** The children of a process that was started detached: signals reach all of them. */
class ProcessGroup {
  readonly pid: number
  readonly #killGraceMs: number
  #killTimer: NodeJS.Timeout | undefined
  #stopping = false

  constructor(child: ChildProcess, killGraceMs: number) {
    if (child.pid === undefined) throw new TypeError('the process was not started')
    this.pid = child.pid
    this.#killGraceMs = killGraceMs
  }

  stop(): void {
    if (this.#stopping) return
    this.#stopping = true
    this.#send('SIGTERM')
    this.#killTimer = setTimeout(() => this.#send('SIGKILL'), this.#killGraceMs)
  }

  /** To be called once the leader is gone: nothing it left behind outlives a stop. */
  finish(): void {
    clearTimeout(this.#killTimer)
    if (this.#stopping) this.#send('SIGKILL')
  }

  #send(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal)
    } catch {
      // ESRCH: all of the group is gone, which is what was wanted.
    }
  }
}

function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  if (code !== null) return code
  return 128 + (signal === null ? 0 : constants.signals[signal])
}

function startError(program: string, cwd: string | undefined, error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ENOENT') {
    return infraError('E_PROCESS_START', `${program} cannot be started: ${messageOf(error)}`, {
      cause: error,
    })
  }
  // Node reports a missing working directory as a missing program.
  if (cwd !== undefined && statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return infraError('E_PROCESS_START', `${program} cannot be started in ${cwd}: no such directory`, {
      cause: error,
    })
  }
  return missingProgram(program, error)
}

function missingProgram(program: string, cause?: Error): Error {
  const debianPackage = debianPackageOf(program)
  return infraError('E_PROGRAM_MISSING', `${program} is not installed or not on PATH`, {
    ...(cause === undefined ? {} : { cause }),
    retryable: false,
    ...(debianPackage === undefined
      ? {}
      : { hint: `On Debian: apt-get install ${debianPackage} (or run with --install-missing)` }),
  })
}
