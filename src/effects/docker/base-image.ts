import type { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { cancelledError, FwbuildError, infraError } from '../../core/errors.ts'
import { type DebianMirrors, securitySuite } from '../../core/host/apt-sources.ts'
import { type AptSettings, readAptSettings } from '../apt-settings.ts'
import { bootstrapDebian, bootstrapTool } from '../debian-bootstrap.ts'
import { limitedSignal } from '../time-limit.ts'
import { dockerError, statusOf } from './client.ts'
import { readRecords } from './records.ts'

/** A Debian to build the buildroot image on. */
export interface BaseImage {
  readonly suite: string
  /** Name to build from, e.g. `fwbuild-base:bookworm`. */
  readonly reference: string
  /** `sha256:…` of the image's configuration, as `docker images --no-trunc` shows it. */
  readonly id: string
  readonly origin: 'present' | 'pulled' | 'debootstrap' | 'mmdebstrap'
  /** What was tried before, one line each; for the log and the manifest. */
  readonly notes: readonly string[]
}

export interface BaseRequest {
  /** Code names, the best first; the first that can be had is taken. */
  readonly suites: readonly string[]
  /** The user's --mirror, instead of this machine's APT settings. */
  readonly mirror?: string
  /** For the tree while it is made. */
  readonly scratchDir: string
  /** Use what is here only. */
  readonly offline?: boolean
  readonly signal: AbortSignal
  readonly onLine?: (line: string) => void
}

const repository = 'fwbuild-base'
/** A registry that says nothing for so long is taken for unreachable. */
const pullSilenceMs = 20_000
const probeTimeoutMs = 10_000

/**
 * Finds, pulls or makes a base image for the first suite of a list that can be had.
 * @throws infra E_BASE_UNAVAILABLE with all that was tried, cancelled
 */
export async function ensureBase(docker: Docker, request: BaseRequest): Promise<BaseImage> {
  const notes: string[] = []
  const note = (text: string): void => {
    notes.push(text)
    request.onLine?.(text)
  }
  let registryReachable = request.offline !== true
  for (const suite of request.suites) {
    const present = await findPresent(docker, suite)
    if (present !== undefined) return { suite, ...present, origin: 'present', notes }
    if (request.offline === true) {
      note(`${suite}: no base image here, and --offline`)
      continue
    }
    if (registryReachable) {
      const pulled = await pull(docker, suite, request)
      if (pulled.kind === 'pulled') return { suite, ...pulled.image, origin: 'pulled', notes }
      note(`${suite}: not pulled: ${pulled.why}`)
      registryReachable = pulled.kind === 'refused'
    }
    try {
      return { ...(await bootstrap(docker, suite, request)), notes }
    } catch (error) {
      if (!(error instanceof FwbuildError) || error.kind === 'cancelled') throw error
      note(`${suite}: not made: ${error.message}`)
    }
  }
  throw infraError(
    'E_BASE_UNAVAILABLE',
    `no Debian base image can be had for ${request.suites.join(' or ')}:\n${notes.join('\n')}`,
    {
      hint: [
        'Pulling needs a container registry; making one needs a Debian mirror (--mirror URL), and either root',
        'with debootstrap or mmdebstrap. Debian keeps suites that ended only in its archive: name a mirror of that.',
      ].join('\n'),
      retryable: true,
    },
  )
}

interface FoundImage {
  readonly reference: string
  readonly id: string
}

async function findPresent(docker: Docker, suite: string): Promise<FoundImage | undefined> {
  for (const reference of [`${repository}:${suite}`, `debian:${suite}`]) {
    const id = await imageId(docker, reference)
    if (id !== undefined) return { reference, id }
  }
  return undefined
}

/** `sha256:…` of a local image, or undefined where there is none of that name. */
export async function imageId(docker: Docker, reference: string): Promise<string | undefined> {
  try {
    return (await docker.getImage(reference).inspect()).Id
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw dockerError(`the image ${reference} cannot be looked up`, error)
  }
}

type Pulled =
  | { readonly kind: 'pulled'; readonly image: FoundImage }
  /** The registry answered, and does not have it. */
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unreachable'; readonly why: string }

async function pull(docker: Docker, suite: string, request: BaseRequest): Promise<Pulled> {
  const reference = `debian:${suite}`
  const silence = new AbortController()
  const timer = setTimeout(() => silence.abort(), pullSilenceMs)
  // Not AbortSignal.any: see limitedSignal.
  const onAbort = (): void => silence.abort()
  request.signal.addEventListener('abort', onAbort, { once: true })
  if (request.signal.aborted) onAbort()
  try {
    const abortSignal = silence.signal
    const stream = (await docker.pull(reference, { abortSignal })) as Readable
    abortSignal.addEventListener('abort', () => stream.destroy(), { once: true })
    const failure = await readRecords(stream, (record) => {
      timer.refresh()
      if (record.progress === undefined)
        request.onLine?.([record.id, record.status].filter(Boolean).join(': '))
    })
    if (failure !== undefined) return { kind: 'unreachable', why: failure }
    const id = await imageId(docker, reference)
    return id === undefined
      ? { kind: 'unreachable', why: 'the pull ended without an image' }
      : { kind: 'pulled', image: { reference, id } }
  } catch (error) {
    if (request.signal.aborted) throw cancelledError()
    if (silence.signal.aborted)
      return { kind: 'unreachable', why: `no answer within ${pullSilenceMs / 1000} s` }
    const why = dockerError(`debian:${suite}`, error).message
    return { kind: statusOf(error) === 404 ? 'refused' : 'unreachable', why }
  } finally {
    clearTimeout(timer)
    request.signal.removeEventListener('abort', onAbort)
  }
}

async function bootstrap(
  docker: Docker,
  suite: string,
  request: BaseRequest,
): Promise<Omit<BaseImage, 'notes'>> {
  const { signal, onLine, scratchDir } = request
  const tool = bootstrapTool()
  if (tool === undefined) {
    throw infraError(
      'E_BOOTSTRAP',
      process.getuid?.() === 0
        ? 'debootstrap is not installed (--install-missing installs it)'
        : 'debootstrap needs root; install mmdebstrap and uidmap, or run the first build with sudo',
    )
  }
  const settings = await readAptSettings(signal)
  const mirrors = await mirrorsFor(suite, request, settings)
  onLine?.(`making Debian ${suite} with ${tool}${mirrors === undefined ? '' : ` from ${mirrors.archive}`}`)
  const imported: string[] = []
  try {
    const bootstrapRequest = { suite, mirrors, settings, scratchDir, signal, ...(onLine && { onLine }) }
    await bootstrapDebian(tool, bootstrapRequest, async (archive) => {
      imported.push(await importTree(docker, archive, signal))
    })
    const [id = ''] = imported
    await docker.getImage(id).tag({ repo: repository, tag: suite })
    return { suite, reference: `${repository}:${suite}`, id, origin: tool }
  } catch (error) {
    // An archive that turned out to be cut off was taken all the same.
    for (const id of imported) {
      await docker
        .getImage(id)
        .remove()
        .catch(() => {})
    }
    throw dockerError(`Debian ${suite} cannot be imported`, error, signal)
  }
}

/** Imports without a name, which is given only once the archive is known to be whole; returns the id. */
async function importTree(docker: Docker, archive: Readable, signal: AbortSignal): Promise<string> {
  const answer = await docker.importImage(archive, {
    changes: ['CMD ["/bin/bash"]', 'LABEL fwbuild=1'],
    abortSignal: signal,
  })
  let id: string | undefined
  const failure = await readRecords(answer as Readable, (record) => {
    id = /sha256:[0-9a-f]{64}/.exec(record.status ?? '')?.[0] ?? id
  })
  if (failure === undefined && id !== undefined) return id
  throw infraError('E_DOCKER', `Docker did not take the new tree: ${failure ?? 'it named no image'}`)
}

/** Mirrors that really have the suite; undefined leaves the choice to the tool. */
async function mirrorsFor(
  suite: string,
  request: BaseRequest,
  settings: AptSettings,
): Promise<DebianMirrors | undefined> {
  const archive = request.mirror?.replace(/\/+$/, '') ?? settings.mirrors?.archive
  if (archive === undefined) return undefined
  if (await lacks(`${archive}/dists/${suite}/Release`, request.signal)) {
    throw infraError('E_BOOTSTRAP', `${archive} does not have ${suite}`)
  }
  const updates = !(await lacks(`${archive}/dists/${suite}-updates/Release`, request.signal))
  const security = settings.mirrors?.security
  const secure =
    security !== undefined &&
    !(await lacks(`${security}/dists/${securitySuite(suite)}/Release`, request.signal))
  return { archive, updates, ...(secure ? { security } : {}) }
}

/** Whether a server says that it has no such file; a server that cannot be asked leaves it open. */
async function lacks(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    using limited = limitedSignal(signal, probeTimeoutMs)
    const { status } = await fetch(url, { method: 'HEAD', signal: limited.signal })
    return status === 404 || status === 410
  } catch {
    if (signal.aborted) throw cancelledError()
    return false
  }
}
