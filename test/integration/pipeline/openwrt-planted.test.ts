import { mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import type { Json } from '../../../src/core/json.ts'
import { openwrtSpec } from '../../../src/core/spec/openwrt-spec.ts'
import { buildUser } from '../../../src/effects/build-user.ts'
import type { Engine } from '../../../src/effects/engine.ts'
import { openwrtSteps } from '../../../src/pipeline/openwrt.ts'
import { openwrtContext, type OpenwrtContext } from '../../../src/pipeline/openwrt/context.ts'
import { findKernelTree } from '../../../src/pipeline/openwrt/kernel-tree.ts'
import type { Step, StepTools } from '../../../src/pipeline/run.ts'
import { fakeBuild, fakeRelease, type FakeBuild } from '../../helpers/fake-openwrt.ts'
import { never } from '../../helpers/host-session.ts'
import {
  filesWith,
  fullListing,
  guardedFolder,
  namesBelow,
  plant,
  type PlantKind,
} from '../../helpers/plant.ts'

/** The steps that touch the tree without git; what the tree's own programs do is stubbed, all else is real. */
const steps = openwrtSteps('test').filter(({ id }) =>
  ['configure', 'download', 'compile', 'images', 'manifest'].includes(id),
)

/** Builds without running anything: the tree is as its programs left it. */
const idleEngine: Engine = {
  kind: 'host',
  require: () => Promise.resolve(),
  sweep: () => Promise.resolve([]),
  open: () =>
    Promise.resolve({
      exec: () => Promise.resolve({ exitCode: 0 }),
      inside: (path) => path,
      interactive: () => Promise.resolve(0),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
}

const tools: StepTools = {
  signal: never,
  line: () => {},
  progress: () => {},
  note: () => {},
  logPath: 'log',
  previous: undefined,
}

/** Each step's recorded outputs, as a build that got to its end left them. */
const recordOf = (fake: FakeBuild, step: string): Json => {
  const file = join(fake.work, 'builds', fake.domain, 'steps', `${step}.json`)
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly outputs: Json }).outputs
}

async function builtContext(fake: FakeBuild, output: string): Promise<OpenwrtContext> {
  mkdirSync(output)
  const layer = { release: fakeRelease, source: `${fake.source}#main`, image: ['raw' as const], boot: false }
  const context = await openwrtContext(
    {
      spec: openwrtSpec([layer]),
      lock: undefined,
      paths: { project: process.cwd(), work: fake.work, output, dl: join(fake.work, 'dl') },
      engine: idleEngine,
      env: {},
      user: buildUser(process.env),
      jobs: 1,
      limits: { memoryBytes: 1 << 30, pids: 100, asked: false },
      offline: true,
      mirror: undefined,
      buildrootInputs: {},
      ensureBuildroot: () => Promise.resolve({ image: 'none', id: 'none', notes: [] }),
    },
    never,
  )
  for (const step of openwrtSteps('test')) step.adopt(context, recordOf(fake, step.id), false)
  return context
}

/** Runs a step as after a change of its inputs, and as where they are the same. */
async function attempt(step: Step<OpenwrtContext>, context: OpenwrtContext, outputs: Json): Promise<unknown> {
  for (const act of [
    () => step.inputs(context, tools),
    () => step.intact?.(context, outputs, tools),
    () => step.run(context, tools),
  ]) {
    try {
      await act()
    } catch (error) {
      if (error instanceof FwbuildError) continue
      if (!['EISDIR', 'EEXIST', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? ''))
        return error
    }
  }
  return undefined
}

/** Each name gets two of them, in turn. */
const kinds: readonly PlantKind[] = [
  'link to a folder',
  'fifo',
  'link to a file',
  'link to nothing',
  'link to a folder',
  'folder',
]

test('whatever a build leaves at any name of its tree, no step goes through it on the host', async (t) => {
  const fake = await fakeBuild(t)
  const built = await fake.build()
  t.is(built.exitCode, 0, built.stderr)
  const guarded = await guardedFolder(t)
  const before = fullListing(guarded.path)
  const output = join(fake.home, 'planted-out')
  const context = await builtContext(fake, output)
  const names = [
    ...namesBelow(fake.tree).filter((name) => !name.startsWith('.git')),
    'tmp/fwbuild-kconfig',
    'include/kernel-build.mk',
    'bin/targets/x86/64/config.buildinfo',
    'version',
  ]
  let count = 0
  for (const [index, name] of names.entries()) {
    for (const kind of kinds.filter((_, at) => at % 3 === index % 3)) {
      for (const step of steps) {
        using planted = plant(fake.tree, name, kind, guarded)
        t.truthy(planted)
        t.is(
          await attempt(step, context, recordOf(fake, step.id)),
          undefined,
          `${step.id}: ${kind} at ${name}`,
        )
        t.deepEqual(fullListing(guarded.path), before, `${step.id}: ${kind} at ${name}`)
        count += 1
      }
    }
  }
  for (const folder of [output, fake.work]) t.deepEqual(filesWith(folder, guarded.secret), [])
  t.log(`${count} planted`)
  t.true(count > 300)
})

test('an image or a kernel folder whose name is no plain word is not taken', async (t) => {
  const fake = await fakeBuild(t)
  const built = await fake.build()
  t.is(built.exitCode, 0, built.stderr)
  const context = await builtContext(fake, join(fake.home, 'named-out'))
  const images = steps.find(({ id }) => id === 'images')
  const { targetFiles } = context.found
  for (const name of ['x 0 *y-ext4-combined.img.gz', '-x-ext4-combined.img', 'nbd:x-ext4-combined.img']) {
    context.found.targetFiles = [{ name, bytes: 1, mtimeMs: 1 }, ...targetFiles]
    await t.throwsAsync(async () => images?.run(context, tools), { code: 'E_FOREIGN_NAME' })
  }
  const [linux = ''] = namesBelow(fake.tree).filter((name) => /\/linux-[\d.]+$/.test(name))
  renameSync(join(fake.tree, linux), join(fake.tree, `${linux}\nCONFIG_X=y`))
  t.throws(() => findKernelTree(fake.tree), { code: 'E_KERNEL_TREE' })
})
