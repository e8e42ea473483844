import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { PassThrough, type Readable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import type Docker from 'dockerode'
import { pack } from 'tar-stream'
import { cancelledError, infraError } from '../core/errors.ts'
import { readAptSettings } from './apt-settings.ts'
import { type BaseImage, type BaseRequest, ensureBase, imageId } from './docker/base-image.ts'
import { dockerError } from './docker/client.ts'
import { readRecords } from './docker/records.ts'
import { LineSplitter } from './process-output.ts'

/** The image builds run in. */
export interface BuildrootImage {
  /** `fwbuild-buildroot:<digest of its inputs>` */
  readonly reference: string
  /** `sha256:…` of the image's configuration. */
  readonly id: string
  readonly base: BaseImage
  readonly packages: readonly string[]
}

export interface BuildrootRequest extends BaseRequest {
  /** Path of Dockerfile.buildroot; takes the build arguments BASE, PACKAGES and, with a mirror, MIRROR and SUITE. */
  readonly dockerfile: string
  /** Packages of the image on a suite. */
  readonly packagesOf: (suite: string) => readonly string[]
}

const repository = 'fwbuild-buildroot'
const digestChars = 24
/** How much of a failed build's output the error shows. */
const shownLines = 15

/**
 * Finds the buildroot image for the first suite of a list that can be had, or builds it. It is a function of
 * its inputs (Dockerfile, packages, base image), so it is looked for by their digest and never rebuilt.
 * Only building needs a network.
 * @throws infra E_BASE_UNAVAILABLE | E_IMAGE_BUILD | E_DOCKER, cancelled
 */
export async function ensureBuildrootImage(
  docker: Docker,
  request: BuildrootRequest,
): Promise<BuildrootImage> {
  const base = await ensureBase(docker, request)
  const dockerfile = await readFile(request.dockerfile)
  const packages = request.packagesOf(base.suite)
  const reference = `${repository}:${digestOf({ base: base.id, dockerfile: sha256(dockerfile), packages })}`
  const present = await imageId(docker, reference)
  if (present !== undefined) return { reference, id: present, base, packages }
  if (request.offline === true) {
    throw infraError('E_IMAGE_BUILD', `the buildroot image ${reference} is not here, and --offline`, {
      hint: 'Run the same command once without --offline.',
    })
  }
  request.onLine?.(`building ${reference} on ${base.reference}`)
  await build(docker, dockerfile, reference, await buildArguments(base, packages, request), request)
  const id = await imageId(docker, reference)
  if (id === undefined) throw infraError('E_IMAGE_BUILD', `building ${reference} ended without an image`)
  return { reference, id, base, packages }
}

function digestOf(inputs: Readonly<Record<string, unknown>>): string {
  return sha256(JSON.stringify(inputs)).slice(0, digestChars)
}

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')

/** A base that was made here has the right sources; one that was pulled has its maker's. */
async function buildArguments(
  base: BaseImage,
  packages: readonly string[],
  request: BuildrootRequest,
): Promise<Record<string, string>> {
  const { httpProxy } = await readAptSettings(request.signal)
  const pulled = base.reference.startsWith('debian:')
  return {
    BASE: base.reference,
    PACKAGES: packages.join(' '),
    ...(pulled && request.mirror !== undefined ? { MIRROR: request.mirror, SUITE: base.suite } : {}),
    ...(httpProxy === undefined ? {} : { http_proxy: httpProxy }),
  }
}

async function build(
  docker: Docker,
  dockerfile: Buffer,
  reference: string,
  buildArgs: Readonly<Record<string, string>>,
  request: BuildrootRequest,
): Promise<void> {
  const { signal, onLine } = request
  const context = pack()
  context.entry({ name: 'Dockerfile' }, dockerfile)
  context.finalize()
  const tail: string[] = []
  const lines = new LineSplitter((coloured) => {
    // The daemon paints what a step writes to standard error.
    const line = stripVTControlCharacters(coloured)
    tail.push(line)
    if (tail.length > shownLines) tail.shift()
    onLine?.(line)
  })
  let failure: string | undefined
  try {
    const stream = (await docker.buildImage(context.pipe(new PassThrough()), {
      t: reference,
      buildargs: buildArgs,
      labels: { fwbuild: '1' },
      // Mirrors, proxies and name servers that only this machine reaches work in the build too.
      networkmode: 'host',
      rm: true,
      forcerm: true,
      abortSignal: signal,
    })) as Readable
    signal.addEventListener('abort', () => stream.destroy(), { once: true })
    failure = await readRecords(stream, (record) => {
      if (record.stream !== undefined) lines.add(Buffer.from(record.stream))
    })
    lines.end()
  } catch (error) {
    throw dockerError('the buildroot image cannot be built', error, signal)
  }
  if (signal.aborted) throw cancelledError()
  if (failure === undefined) return
  throw infraError('E_IMAGE_BUILD', `the buildroot image cannot be built: ${failure}\n${tail.join('\n')}`, {
    hint: 'Often a mirror that was updated or out of reach at that moment: run the same command again.',
    retryable: true,
  })
}
