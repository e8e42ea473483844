import { accessSync, constants, existsSync } from 'node:fs'
import Docker from 'dockerode'
import { cancelledError, FwbuildError, infraError, messageOf, usageError } from '../../core/errors.ts'
import { limitedSignal } from '../time-limit.ts'

type Env = Readonly<Record<string, string | undefined>>

/** A daemon that answered. */
export interface DockerClient {
  readonly docker: Docker
  /** Where it listens, for messages. */
  readonly address: string
}

const pingTimeoutMs = 10_000

const noDaemonHint = [
  'Run again with --install-missing to install and start Docker (Debian: docker.io),',
  'or with --engine host to build on this machine without containers.',
].join('\n')

/** Sockets that are tried, in this order, when DOCKER_HOST is not set. */
export function defaultSockets(env: Env): readonly string[] {
  const runtime = env['XDG_RUNTIME_DIR']
  return [
    '/var/run/docker.sock',
    ...(runtime === undefined || runtime === '' ? [] : [`${runtime}/podman/podman.sock`]),
    '/run/podman/podman.sock',
  ]
}

/**
 * Finds a Docker or Podman daemon: the one DOCKER_HOST names, else the first default socket that answers.
 * @throws infra E_DOCKER_MISSING, usage E_DOCKER_HOST, cancelled
 */
export async function connectDocker(env: Env, signal: AbortSignal): Promise<DockerClient> {
  const host = env['DOCKER_HOST']
  if (host !== undefined && host !== '') {
    const client = { docker: clientOf(host), address: host }
    const failure = await ping(client.docker, signal)
    if (failure === undefined) return client
    throw infraError('E_DOCKER_MISSING', `no Docker daemon answers at DOCKER_HOST=${host}: ${failure}`, {
      hint: noDaemonHint,
      retryable: true,
    })
  }
  const failures: string[] = []
  for (const socket of defaultSockets(env)) {
    const address = `unix://${socket}`
    if (!existsSync(socket)) continue
    if (!mayUse(socket)) {
      failures.push(`${socket}: no permission`)
      continue
    }
    const docker = clientOf(address)
    const failure = await ping(docker, signal)
    if (failure === undefined) return { docker, address }
    failures.push(`${socket}: ${failure}`)
  }
  throw infraError(
    'E_DOCKER_MISSING',
    failures.length === 0
      ? 'no Docker daemon: there is no Docker or Podman socket on this machine'
      : `no Docker daemon answers: ${failures.join('; ')}`,
    {
      hint: failures.some((failure) => failure.endsWith('no permission'))
        ? `Add yourself to the group docker (sudo usermod -aG docker $USER) and log in again, or use --engine host.`
        : noDaemonHint,
      retryable: true,
    },
  )
}

function mayUse(socket: string): boolean {
  try {
    accessSync(socket, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Calls that take a signal at run time, which the types do not know. */
interface Abortable {
  readonly ping: (options: { abortSignal: AbortSignal }) => Promise<unknown>
  readonly info: (options: { abortSignal: AbortSignal }) => Promise<{
    readonly SecurityOptions?: readonly string[] | null
    /** Podman's own way to say it. */
    readonly Rootless?: boolean
    readonly MemoryLimit?: boolean
    readonly PidsLimit?: boolean
  }>
  readonly version: () => Promise<{ readonly Components?: readonly { readonly Name: string }[] | null }>
}

/** What kind of daemon it is, as far as containers have to differ. */
export interface DaemonTraits {
  readonly podman: boolean
  /** The daemon runs as an ordinary user, who is uid 0 inside unless told otherwise. */
  readonly rootless: boolean
  /** Whether it has the cgroup controllers for it. */
  readonly limitsMemory: boolean
  readonly limitsPids: boolean
}

export async function daemonTraits(docker: Docker, signal: AbortSignal): Promise<DaemonTraits> {
  try {
    const client = docker as unknown as Abortable
    const { SecurityOptions, Rootless, MemoryLimit, PidsLimit } = await client.info({ abortSignal: signal })
    const { Components } = await client.version()
    return {
      podman: (Components ?? []).some(({ Name }) => Name.startsWith('Podman')),
      rootless:
        Rootless === true || (SecurityOptions ?? []).some((option) => option.includes('name=rootless')),
      limitsMemory: MemoryLimit === true,
      limitsPids: PidsLimit === true,
    }
  } catch (error) {
    throw dockerError('the Docker daemon cannot be asked about itself', error, signal)
  }
}

/** @returns why it did not answer, or undefined when it did */
async function ping(docker: Docker, signal: AbortSignal): Promise<string | undefined> {
  try {
    using limited = limitedSignal(signal, pingTimeoutMs)
    await (docker as unknown as Abortable).ping({ abortSignal: limited.signal })
    return undefined
  } catch (error) {
    if (signal.aborted) throw cancelledError()
    return (error as NodeJS.ErrnoException).code ?? messageOf(error)
  }
}

/** docker-modem reads process.env by itself; what is given here overrides all of it but the TLS files. */
function clientOf(address: string): Docker {
  if (address.startsWith('unix://')) {
    return new Docker({ socketPath: address.slice('unix://'.length), host: undefined, protocol: 'http' })
  }
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (
    url === undefined ||
    (url.protocol !== 'tcp:' && url.protocol !== 'http:' && url.protocol !== 'https:')
  ) {
    throw usageError('E_DOCKER_HOST', `DOCKER_HOST=${address} is not a unix:// or tcp:// address`)
  }
  const tls = url.protocol === 'https:' || url.port === '2376' || process.env['DOCKER_TLS_VERIFY'] === '1'
  return new Docker({ host: url.hostname, port: url.port || '2375', protocol: tls ? 'https' : 'http' })
}

interface ModemError {
  readonly statusCode?: number
  readonly json?: { readonly message?: string } | Buffer | null
}

/** HTTP status of the daemon's answer, when the error is one. */
export function statusOf(error: unknown): number | undefined {
  return (error as ModemError | undefined)?.statusCode
}

const goneCodes: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE'])

/**
 * Translates what the client library throws, once.
 * @param action what was being done, as a clause: `the container cannot be started`
 */
export function dockerError(action: string, error: unknown, signal?: AbortSignal): Error {
  if (error instanceof FwbuildError) return error
  if (signal?.aborted === true) return cancelledError()
  const code = (error as NodeJS.ErrnoException).code
  if (code !== undefined && goneCodes.has(code)) {
    return infraError('E_DOCKER_GONE', `${action}: the Docker daemon does not answer (${code})`, {
      cause: error,
      hint: noDaemonHint,
      retryable: true,
    })
  }
  const { json } = error as ModemError
  const message =
    json !== undefined && json !== null && !Buffer.isBuffer(json) && json.message !== undefined
      ? json.message
      : messageOf(error).replace(/^\(HTTP code \d+\) [^-]* - /, '')
  return infraError('E_DOCKER', `${action}: ${message.trim()}`, { cause: error })
}
