import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { areaOf } from '../../../src/effects/beneath/area.ts'
import type { FwbuildError } from '../../../src/core/errors.ts'
import type { Session } from '../../../src/effects/engine.ts'
import { giveBeneath } from '../../../src/effects/beneath/give.ts'
import { kernelInterface } from '../../../src/pipeline/host-kernel/kernel-interface.ts'
import { buildZfs, type ZfsBuild } from '../../../src/pipeline/host-kernel/zfs-build.ts'
import {
  fakeKernel,
  fakeRelease,
  fakeZfsTree,
  hostSession,
  user,
  type FakeZfs,
} from '../../helpers/fake-zfs.ts'
import { needProgram, testWith } from '../../helpers/need.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

const never = new AbortController().signal
const needs = [needProgram('gcc'), needProgram('make'), needProgram('modinfo', ['-V'])]

interface Bench {
  readonly build: ZfsBuild
  readonly lines: string[]
  readonly items: string[]
  readonly obj: string
}

async function withBuild(
  t: ExecutionContext,
  zfs: FakeZfs,
  body: (bench: Bench) => Promise<void>,
): Promise<void> {
  const work = await temporaryDirectory(t)
  await using session: Session = await hostSession(work, never)
  const top = join(work, 'w')
  const kernel = fakeKernel(top)
  const zfsDir = fakeZfsTree(join(top, 'zfs', 'src'), zfs)
  const stageDir = join(top, 'stage')
  mkdirSync(stageDir)
  await giveBeneath(top, '', user)
  const lines: string[] = []
  const items: string[] = []
  const tools: ZfsBuild['tools'] = {
    line: (text) => void lines.push(text),
    progress: ({ item }) => void items.push(item),
    note: () => {},
    signal: never,
    logPath: '/logs/zfs.log',
  }
  const build = {
    session,
    area: areaOf(top, user),
    zfsDir,
    ...kernel,
    release: fakeRelease,
    stageDir,
    jobs: 2,
    ccache: false,
    tools,
  }
  await body({ build, lines, items, obj: kernel.kernelObjDir })
}

const modules = [`lib/modules/${fakeRelease}/extra/spl.ko`, `lib/modules/${fakeRelease}/extra/zfs.ko`]

testWith(needs, 'modules are built, checked and staged', async (t) => {
  await withBuild(t, {}, async ({ build, items, lines }) => {
    writeFileSync(join(build.stageDir, 'old'), '')
    const built = await buildZfs(build)
    t.is(built.version, '2.3.9-1')
    t.deepEqual(built.files, modules)
    t.deepEqual(readdirSync(build.stageDir), ['lib'])
    t.true(items.includes('configure: the kernel'), items.join())
    t.true(items.includes('module/zfs.o'))
    t.true(lines.some((line) => line.includes('make -j2')))
    t.false(existsSync(join(build.zfsDir, 'Makefile')), 'the source stays as it is')
  })
})

testWith(needs, 'configure’s answers are used again until what they depend on changes', async (t) => {
  await withBuild(t, {}, async ({ build, lines, obj }) => {
    const cached = (): boolean => lines.splice(0).some((line) => line.includes('(cached)'))
    // A first build has no stage yet.
    rmSync(build.stageDir, { recursive: true })
    await buildZfs(build)
    t.false(cached())
    await buildZfs(build)
    t.true(cached())
    // The number of the build and the kernel's own code are nothing that a module sees.
    writeFileSync(join(obj, 'include', 'generated', 'compile.h'), '#define UTS_VERSION "#2"\n')
    writeFileSync(join(build.kernelSrcDir, 'kernel', 'panic.c'), '/* patched */\n')
    await buildZfs(build)
    t.true(cached())
    const before = await kernelInterface(build, never)
    writeFileSync(
      join(obj, 'include', 'generated', 'autoconf.h'),
      '#define CONFIG_MODULES 1\n#define CONFIG_SMP 1\n',
    )
    t.not(await kernelInterface(build, never), before)
    await buildZfs(build)
    t.false(cached())
    t.is(readdirSync(join(build.zfsDir, '..', 'config-cache')).length, 1)
  })
})

testWith(needs, 'a refusal of configure: cause, cure, log; its answers are not kept', async (t) => {
  await withBuild(t, {}, async ({ build, lines, obj }) => {
    const refusal = join(obj, 'refuse')
    writeFileSync(
      refusal,
      'configure: error: \n\t*** This kernel has unused symbols trimming enabled, please disable.\n',
    )
    const error = await t.throwsAsync<FwbuildError>(buildZfs(build), { code: 'E_ZFS_BUILD' })
    t.is(error.exitCode, 1)
    t.regex(error.message, /TRIM_UNUSED_KSYMS[^]*unused symbols trimming/)
    t.regex(error.hint ?? '', /--fragment[^]*# CONFIG_TRIM_UNUSED_KSYMS is not set[^]*\/logs\/zfs\.log/)
    rmSync(refusal)
    lines.length = 0
    await buildZfs(build)
    t.false(lines.some((line) => line.includes('(cached)')))
  })
})

testWith(needs, 'an interrupt leaves nothing that the next run trips over', async (t) => {
  await withBuild(t, {}, async ({ build, obj }) => {
    for (const slow of [join(obj, 'slow'), join(build.zfsDir, 'module', 'slow')]) {
      writeFileSync(slow, '')
      const stop = new AbortController()
      const tools: ZfsBuild['tools'] = {
        ...build.tools,
        signal: stop.signal,
        line: (text) => {
          if (text.includes('slowly') || text.includes('CC [M]')) setTimeout(() => stop.abort(), 200)
        },
      }
      await t.throwsAsync(buildZfs({ ...build, tools }), { code: 'E_CANCELLED' })
      rmSync(slow)
      t.deepEqual((await buildZfs(build)).files, modules)
    }
  })
})

testWith(needs, 'modules for another kernel are refused', async (t) => {
  await withBuild(t, { magic: '6.1.192-other' }, async ({ build, obj }) => {
    const error = await t.throwsAsync<FwbuildError>(buildZfs(build), { code: 'E_ZFS_MODULES' })
    t.regex(error.message, /zfs\.ko has the version magic '6\.1\.192-other/)
    writeFileSync(join(obj, 'include', 'config', 'kernel.release'), '6.1.191\n')
    await t.throwsAsync(buildZfs(build), { code: 'E_ZFS_KERNEL_TREE', message: /holds kernel 6\.1\.191/ })
    rmSync(join(obj, 'include'), { recursive: true })
    await t.throwsAsync(buildZfs(build), { code: 'E_ZFS_KERNEL_TREE', message: /holds kernel nothing/ })
  })
})
