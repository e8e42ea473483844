import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import { cancelledError, infraError } from '../../core/errors.ts'
import type { ExecOptions, ExecResult, Session, SessionLimits, SessionSpec, Terminal } from '../engine.ts'
import { pathInside } from '../mounts.ts'
import { dockerError, statusOf, type DaemonTraits } from './client.ts'
import { exhaustionCheck } from './exhaustion.ts'
import { runExec, type ExecTarget } from './exec.ts'
import { addIdentity, buildHome, buildLogin } from './identity.ts'
import { runInteractive } from './interactive.ts'
import { holdLifeline, lifelineInput, untilInputEnds } from './lifeline.ts'
import { NetworkGate } from './network-gate.ts'

/** Labels of every container fwbuild makes; `workDir` is how leftovers are found. */
export const labels = {
  own: 'fwbuild',
  workDir: 'fwbuild.workdir',
  pid: 'fwbuild.pid',
  title: 'fwbuild.title',
} as const

/** Ends up in the version string of kernels, so it is the same everywhere. */
const hostname = 'fwbuild'
const removalTimeoutMs = 30_000

/** Creates, prepares and starts the one container of a build; on failure nothing is left. */
export async function openSession(
  docker: Docker,
  spec: SessionSpec,
  daemon: DaemonRights,
  signal: AbortSignal,
): Promise<Session> {
  const container = await createContainer(docker, spec, daemon, signal)
  let lifeline: Disposable | undefined
  try {
    await addIdentity(container, spec.user)
    lifeline = await holdLifeline(container)
    if (signal.aborted) throw cancelledError()
    await container.start()
    const gate = await NetworkGate.close(docker, container)
    if (signal.aborted) throw cancelledError()
    return sessionOf(docker, { container, lifeline, gate }, spec)
  } catch (error) {
    await removeContainer(container)
    lifeline?.[Symbol.dispose]()
    throw dockerError('the build container cannot be started', error, signal)
  }
}

/** What the daemon can do, and how it has to be asked for the build user. */
interface DaemonRights extends Pick<DaemonTraits, 'limitsMemory' | 'limitsPids'> {
  readonly userns: 'keep-id' | undefined
}

/** Limits in the words of Docker's API; without swap, or a build that needs too much would only get slow. */
function limitsOf({ limits }: SessionSpec, { limitsMemory, limitsPids }: DaemonRights): Docker.HostConfig {
  if (limits === undefined) return {}
  const { memoryBytes, pids } = limits
  return {
    ...(limitsMemory ? { Memory: memoryBytes, MemorySwap: memoryBytes } : {}),
    ...(limitsPids ? { PidsLimit: pids } : {}),
  }
}

const tmpOptions = ({ limits }: SessionSpec): string =>
  ['rw,exec,nosuid,nodev,mode=1777', ...(limits === undefined ? [] : [`size=${tmpBytes(limits)}`])].join(',')

const tmpBytes = ({ memoryBytes }: SessionLimits): number => Math.floor(memoryBytes / 2)

async function createContainer(
  docker: Docker,
  spec: SessionSpec,
  daemon: DaemonRights,
  signal: AbortSignal,
): Promise<Docker.Container> {
  const { uid, gid } = spec.user
  if (signal.aborted) throw cancelledError()
  try {
    return await docker.createContainer({
      name: `fwbuild-${spec.title}-${randomUUID().slice(0, 8)}`.replaceAll(/[^\w.-]/g, '-'),
      Image: spec.image,
      Hostname: hostname,
      User: `${uid}:${gid}`,
      Entrypoint: [...untilInputEnds],
      Cmd: [],
      ...lifelineInput,
      WorkingDir: '/',
      StopTimeout: 1,
      Labels: {
        [labels.own]: '1',
        [labels.workDir]: spec.workDir,
        [labels.pid]: String(process.pid),
        [labels.title]: spec.title,
      },
      HostConfig: {
        AutoRemove: true,
        Init: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        NetworkMode: 'bridge',
        ...(daemon.userns === undefined ? {} : { UsernsMode: daemon.userns }),
        ...limitsOf(spec, daemon),
        Tmpfs: { '/tmp': tmpOptions(spec) },
        Mounts: spec.mounts.map(({ source, target, readonly }) => ({
          Type: 'bind',
          Source: source,
          Target: target,
          ReadOnly: readonly ?? false,
        })),
      },
    })
  } catch (error) {
    if (statusOf(error) === 404) {
      throw infraError('E_IMAGE_MISSING', `the image ${spec.image} is not known to Docker`, { cause: error })
    }
    throw dockerError('the build container cannot be created', error, signal)
  }
}

/** Removes a container whatever its state, and waits until it is gone; absent is fine. */
export async function removeContainer(container: Docker.Container): Promise<void> {
  for (let waitedMs = 0; waitedMs < removalTimeoutMs; waitedMs += 100) {
    try {
      await container.remove({ force: true, v: true })
    } catch (error) {
      if (statusOf(error) === 404) return
      // 409: the daemon is removing it by itself (AutoRemove).
      if (statusOf(error) !== 409) throw dockerError('the build container cannot be removed', error)
    }
    await sleep(100)
  }
  throw infraError('E_DOCKER', `the container ${container.id.slice(0, 12)} could not be removed`, {
    hint: `docker rm -f ${container.id.slice(0, 12)}`,
  })
}

interface Prepared {
  readonly container: Docker.Container
  readonly lifeline: Disposable
  readonly gate: NetworkGate
}

function sessionOf(docker: Docker, { container, lifeline, gate }: Prepared, spec: SessionSpec): Session {
  const target: ExecTarget = { docker, container, user: `${spec.user.uid}:${spec.user.gid}` }
  const baseEnv = { HOME: buildHome, USER: buildLogin, LOGNAME: buildLogin, ...spec.env }
  const inside = (hostPath: string): string => pathInside(spec.mounts, hostPath)
  const requireRoom = spec.limits === undefined ? undefined : exhaustionCheck(target, spec.limits)

  const exec = async (argv: readonly string[], options: ExecOptions): Promise<ExecResult> => {
    const { signal } = options
    if (signal.aborted) throw cancelledError()
    const request = {
      id: randomUUID(),
      argv,
      cwd: inside(options.cwd),
      env: { ...baseEnv, ...options.env },
    }
    const run = async (): Promise<ExecResult> => {
      const result = await checked(target, await runExec(target, request, options))
      if (result.exitCode !== 0) await requireRoom?.(signal)
      return result
    }
    try {
      if (options.network !== 'online') return await run()
      const release = await gate.hold().catch((error: unknown) => {
        throw dockerError('the build container cannot be given a network', error, signal)
      })
      try {
        return await run()
      } finally {
        await release()
      }
    } catch (error) {
      const gone = !signal.aborted && [404, 409].includes(statusOf(error) ?? 0)
      throw gone
        ? containerGone(error)
        : dockerError(`${argv[0]} cannot be run in the build container`, error, signal)
    }
  }

  const interactive = async (argv: readonly string[], cwd: string, terminal: Terminal): Promise<number> => {
    try {
      return await runInteractive(target, argv, inside(cwd), baseEnv, terminal)
    } catch (error) {
      throw dockerError(`${argv[0]} cannot be run in the build container`, error)
    }
  }

  const dispose = async (): Promise<void> => {
    using _held = lifeline
    await removeContainer(container)
  }

  return { exec, inside, interactive, [Symbol.asyncDispose]: dispose }
}

const killedExitCode = 137
/** The daemon may know of the command's end before it knows of the container's. */
const endTogetherMs = 2000

/** A command that was killed because its container ended did not fail by itself. */
async function checked(target: ExecTarget, result: ExecResult): Promise<ExecResult> {
  if (result.exitCode !== killedExitCode) return result
  for (let waitedMs = 0; waitedMs < endTogetherMs; waitedMs += 100) {
    const running = await target.container.inspect().then(
      ({ State }) => State.Running,
      () => false,
    )
    if (!running) throw containerGone(undefined)
    await sleep(100)
  }
  return result
}

const containerGone = (cause: unknown): Error =>
  infraError('E_CONTAINER_GONE', 'the build container was stopped or removed while a command ran', {
    hint: 'Run the same command again; it continues where it stopped.',
    retryable: true,
    cause,
  })
