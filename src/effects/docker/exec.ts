import type { Duplex } from 'node:stream'
import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import { cancelledError, infraError } from '../../core/errors.ts'
import type { ExecOptions, ExecResult } from '../engine.ts'
import { LineSplitter } from '../process-output.ts'
import { limitedSignal } from '../time-limit.ts'
import { exitCodeOf } from './exit-code.ts'
import { execMarker, killExec } from './process-tree.ts'

export interface ExecTarget {
  readonly docker: Docker
  readonly container: Docker.Container
  /** `uid:gid` */
  readonly user: string
}

interface ExecRequest {
  readonly id: string
  readonly argv: readonly string[]
  /** Working directory inside. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

const killGraceMs = 3000

/**
 * Runs one command in a running container and streams its lines.
 * @throws cancelled, infra E_PROCESS_TIMEOUT | E_PROCESS_START | E_DOCKER_GONE, and whatever the client throws
 */
export async function runExec(
  target: ExecTarget,
  request: ExecRequest,
  options: Pick<ExecOptions, 'signal' | 'onLine' | 'timeoutMs'>,
): Promise<ExecResult> {
  const { signal, onLine, timeoutMs } = options
  const exec = await target.container.exec({
    Cmd: [...request.argv],
    Env: [...environment(request.env), `${execMarker}=${request.id}`],
    User: target.user,
    WorkingDir: request.cwd,
    AttachStdout: true,
    AttachStderr: true,
  })
  if (signal.aborted) throw cancelledError()
  const stream = await exec.start({ hijack: true, stdin: false })
  let startFailure: string | undefined
  const closed = demux(target.docker, stream, (line, from) => {
    if (line.startsWith('OCI runtime exec failed')) startFailure = line
    onLine?.(line, from)
  })
  using limited = limitedSignal(signal, timeoutMs)
  const stop = limited.signal
  await endedOrStopped(closed, stop)
  if (stop.aborted) {
    await stopExec(target, exec, request.id)
    stream.destroy()
    if (signal.aborted) throw cancelledError()
    throw infraError(
      'E_PROCESS_TIMEOUT',
      `${request.argv[0]} did not end within ${(timeoutMs ?? 0) / 1000} s`,
      {
        retryable: true,
      },
    )
  }
  const exitCode = await exitCodeOf(exec)
  if (startFailure !== undefined && (exitCode === 126 || exitCode === 127)) {
    throw infraError(
      'E_PROCESS_START',
      `${request.argv[0]} cannot be started in the container: ${startFailure}`,
    )
  }
  return { exitCode }
}

export function environment(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`)
}

function demux(
  docker: Docker,
  stream: Duplex,
  onLine: (line: string, stream: 'out' | 'err') => void,
): Promise<void> {
  const splitters = {
    out: new LineSplitter((line) => onLine(line, 'out')),
    err: new LineSplitter((line) => onLine(line, 'err')),
  }
  docker.modem.demuxStream(stream, sinkTo(splitters.out), sinkTo(splitters.err))
  return new Promise<void>((resolve) => {
    // A connection that breaks looks the same here; asking for the exit code tells.
    const finish = (): void => {
      splitters.out.end()
      splitters.err.end()
      resolve()
    }
    stream.once('end', finish)
    stream.once('close', finish)
    stream.once('error', finish)
  })
}

const sinkTo = (splitter: LineSplitter): Writable =>
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      splitter.add(chunk)
      done()
    },
  })

async function endedOrStopped(closed: Promise<void>, stop: AbortSignal): Promise<void> {
  if (stop.aborted) return
  let onAbort = (): void => {}
  const aborted = new Promise<void>((resolve) => {
    onAbort = resolve
    stop.addEventListener('abort', onAbort, { once: true })
  })
  await Promise.race([closed, aborted])
  stop.removeEventListener('abort', onAbort)
}

/** The daemon answers a start before the process exists, so one look may come too early. */
async function stopExec(target: ExecTarget, exec: Docker.Exec, id: string): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (!(await killExec(target.container, id, target.user, killGraceMs))) break
    for (let look = 0; look < 10; look += 1) {
      if (!(await exec.inspect()).Running) return
      await sleep(100)
    }
  }
  // Nothing may outlive a stop: the container is thrown away rather than left with a process in it.
  await target.container.kill()
}
