import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import type Docker from 'dockerode'
import type { FwbuildError } from '../../../src/core/errors.ts'
import { type BuildrootRequest, ensureBuildrootImage } from '../../../src/effects/buildroot-image.ts'
import { ensureBase } from '../../../src/effects/docker/base-image.ts'
import { connectDocker } from '../../../src/effects/docker/client.ts'
import { bootstrapDebian } from '../../../src/effects/debian-bootstrap.ts'
import { busyboxImage, makeBusyboxImage, needBusybox } from '../../helpers/busybox-image.ts'
import { needDocker, needProgram, testWith } from '../../helpers/need.ts'

const needs = [needDocker(), needBusybox()]
const never = new AbortController().signal
/** Stands in for a Debian: an image of that name is found before anything is pulled or made. */
const suite = `test-${process.pid}`
const docker = (...args: readonly string[]): string =>
  spawnSync('docker', args, { encoding: 'utf8' }).stdout.trim()

test.before(async () => {
  if (!needs.every((need) => need.present)) return
  await makeBusyboxImage()
  docker('tag', busyboxImage, `fwbuild-base:${suite}`)
})

test.after.always(() => {
  docker('rmi', `fwbuild-base:${suite}`)
})

interface Bench {
  readonly client: Docker
  readonly lines: string[]
  readonly request: (dockerfile: string, options?: Partial<BuildrootRequest>) => Promise<BuildrootRequest>
}

async function withBench(body: (bench: Bench) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'fwbuild-image-'))
  const lines: string[] = []
  try {
    await body({
      client: (await connectDocker(process.env, never)).docker,
      lines,
      request: async (text, options = {}) => {
        const dockerfile = join(directory, 'Dockerfile')
        await writeFile(dockerfile, text)
        return {
          dockerfile,
          suites: [suite],
          packagesOf: () => ['one', 'two'],
          scratchDir: join(directory, 'scratch'),
          signal: never,
          onLine: (line) => void lines.push(line),
          ...options,
        }
      },
    })
  } finally {
    await rm(directory, { recursive: true })
  }
}

const head = 'ARG BASE\nFROM ${BASE}\nARG PACKAGES\n'

testWith(needs, 'the buildroot image is built once for its inputs', async (t) => {
  await withBench(async ({ client, lines, request }) => {
    const text = `${head}RUN echo "packages: $PACKAGES" && echo ${process.pid}\n`
    const first = await ensureBuildrootImage(client, await request(text))
    t.regex(first.reference, /^fwbuild-buildroot:[0-9a-f]{24}$/)
    t.is(first.id, docker('image', 'inspect', '-f', '{{.Id}}', first.reference))
    t.is(first.base.id, docker('image', 'inspect', '-f', '{{.Id}}', `fwbuild-base:${suite}`))
    t.is(first.base.origin, 'present')
    t.true(lines.includes('packages: one two'))
    lines.length = 0
    t.deepEqual(await ensureBuildrootImage(client, await request(text, { offline: true })), first)
    t.deepEqual(lines, [])
    const other = await ensureBuildrootImage(client, await request(text, { packagesOf: () => ['one'] }))
    t.not(other.reference, first.reference)
    await t.throwsAsync(ensureBuildrootImage(client, await request(`${text}# changed`, { offline: true })), {
      message: /is not here, and --offline/,
    })
    docker('rmi', first.reference, other.reference)
  })
})

testWith(needs, 'a step of the image that fails is reported with its last lines', async (t) => {
  await withBench(async ({ client, request }) => {
    const failing = await request(`${head}RUN echo about to fail; echo E: no such package >&2; exit 3\n`)
    const error = await t.throwsAsync<FwbuildError>(ensureBuildrootImage(client, failing))
    t.is(error.code, 'E_IMAGE_BUILD')
    t.is(error.exitCode, 3)
    t.regex(error.message, /returned a non-zero code: 3/)
    t.regex(error.message, /^about to fail$/m)
    t.regex(error.message, /^E: no such package$/m)
    const invalid = await request('FROM\n')
    t.regex((await t.throwsAsync(ensureBuildrootImage(client, invalid))).message, /FROM requires/)
  })
})

testWith(needs, 'an interrupted image build leaves no image and no running step', async (t) => {
  await withBench(async ({ client, request }) => {
    const controller = new AbortController()
    const marker = `sleep 77${process.pid}`
    const slow = await request(`${head}RUN echo started; ${marker}\n`, {
      signal: controller.signal,
      onLine: (line) => void (line === 'started' && controller.abort()),
    })
    const error = await t.throwsAsync<FwbuildError>(ensureBuildrootImage(client, slow))
    t.is(error.kind, 'cancelled')
    const running = (): boolean =>
      docker('ps', '-a', '--no-trunc', '--format', '{{.Command}}').includes(marker)
    for (let look = 0; look < 150 && running(); look += 1) await sleep(200)
    t.false(running())
  })
})

testWith(
  needs,
  'a suite that cannot be had says all that was tried, and the next one is taken',
  async (t) => {
    await withBench(async ({ client, request }) => {
      const offline = await request('', { suites: ['nosuch', suite], offline: true })
      const base = await ensureBase(client, offline)
      t.is(base.suite, suite)
      t.deepEqual(base.notes, ['nosuch: no base image here, and --offline'])
      const none = await request('', { suites: ['nosuch', 'never'], mirror: 'http://127.0.0.1:9/debian' })
      const error = await t.throwsAsync<FwbuildError>(ensureBase(client, none))
      t.is(error.code, 'E_BASE_UNAVAILABLE')
      t.regex(error.message, /nosuch: not pulled: /)
      t.regex(error.message, /nosuch: not made: /)
      t.regex(error.message, /never: not made: /)
      t.regex(error.hint ?? '', /--mirror/)
      t.is(docker('images', '-q', 'fwbuild-base:nosuch'), '')
    })
  },
)

const needRoot = { name: 'root', present: process.getuid?.() === 0 }

testWith(
  [needRoot, needProgram('debootstrap'), needProgram('unshare')],
  'an interrupted bootstrap, and one that a killed run left, leave no tree',
  async (t) => {
    const scratchDir = await mkdtemp(join(tmpdir(), 'fwbuild-bootstrap-'))
    await mkdir(join(scratchDir, 'bootstrap-stale/tree/etc'), { recursive: true })
    const controller = new AbortController()
    const bootstrap = bootstrapDebian(
      'debootstrap',
      {
        suite: 'bookworm',
        mirrors: undefined,
        settings: { mirrors: undefined, checkValidUntil: true },
        scratchDir,
        signal: controller.signal,
        onLine: () => controller.abort(),
      },
      () => Promise.reject(new Error('not reached')),
    )
    const error = await t.throwsAsync<FwbuildError>(bootstrap)
    t.is(error.kind, 'cancelled')
    t.deepEqual(await readdir(scratchDir), [])
    await rm(scratchDir, { recursive: true })
  },
)
