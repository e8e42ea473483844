import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { areaOf } from '../../../src/effects/beneath/area.ts'
import { giveBeneath } from '../../../src/effects/beneath/give.ts'
import { zfsUserland, type UserlandPlace } from '../../../src/pipeline/host-kernel/zfs-userland.ts'
import { compile, fakeApt, hostSession, packDeb, user, type FakeApt } from '../../helpers/fake-zfs.ts'
import { needProgram, testWith } from '../../helpers/need.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

const signal = new AbortController().signal
const needs = [needProgram('dpkg-deb'), needProgram('gcc'), needProgram('readelf')]

/** Real programs without a C library: one library needs another, of a package with merged folders. */
async function withUserland(
  t: ExecutionContext,
  body: (apt: FakeApt, place: UserlandPlace, notes: string[]) => Promise<void>,
): Promise<void> {
  const work = await temporaryDirectory(t)
  await using session = await hostSession(work, signal)
  const top = join(work, 'w')
  const libraries = join(work, 'libs', 'usr', 'lib', 'x86_64-linux-gnu')
  const shared = ['-shared', '-nostdlib', '-fPIC']
  compile('int deep(void){return 1;}', join(libraries, 'libdeep.so.1.0'), [
    ...shared,
    '-Wl,-soname,libdeep.so.1',
  ])
  symlinkSync('libdeep.so.1.0', join(libraries, 'libdeep.so.1'))
  const zfs = join(work, 'utils', 'lib', 'x86_64-linux-gnu', 'libzfs.so.4')
  compile('int deep(void); int zfs(void){return deep();}', zfs, [
    ...shared,
    '-Wl,-soname,libzfs.so.4,--no-as-needed',
    join(libraries, 'libdeep.so.1'),
  ])
  for (const program of ['zpool', 'zfs']) {
    compile('int zfs(void); void _start(void){zfs();}', join(work, 'utils', 'sbin', program), [
      '-nostdlib',
      '-Wl,--no-as-needed,--allow-shlib-undefined,--dynamic-linker,/lib64/ld-linux-x86-64.so.2',
      zfs,
    ])
  }
  compile('', join(work, 'libs', 'usr', 'lib', 'x86_64-linux-gnu', 'ld-linux-x86-64.so.2'), shared)
  compile('', join(work, 'libs', 'usr', 'share', 'doc', 'left-out'), shared)
  const utils = packDeb(join(work, 'utils'), 'zfsutils-linux', '2.3.9-1', join(top, 'dl', 'utils.deb'))
  const libs = packDeb(join(work, 'libs'), 'libs', '1', join(top, 'dl', 'libs.deb'))
  mkdirSync(join(top, 'proof'))
  await giveBeneath(top, '', user)
  const notes: string[] = []
  const apt = fakeApt([{ name: 'zfsutils-linux', version: '2.3.9-1', suite: 'trixie', deb: utils }], [libs])
  const place = {
    session,
    area: areaOf(top, user),
    dir: join(top, 'proof', 'userland'),
    note: (text: string) => void notes.push(text),
    signal,
  }
  await body(apt, place, notes)
}

testWith(needs, 'the commands with all they need, and nothing else', async (t) => {
  await withUserland(t, async (apt, place) => {
    t.is(await zfsUserland(apt, '2.3.9-0+deb13u1', place), place.dir)
    const files = spawnSync('find', ['.', '-type', 'f'], { cwd: place.dir, encoding: 'utf8' }).stdout
    t.deepEqual(files.trim().split('\n').sort(), [
      './lib/x86_64-linux-gnu/libdeep.so.1',
      './lib/x86_64-linux-gnu/libzfs.so.4',
      './lib64/ld-linux-x86-64.so.2',
      './sbin/zfs',
      './sbin/zpool',
    ])
    t.deepEqual(readdirSync(join(place.dir, '..')), ['userland'])
    // A second time over what is there.
    t.is(await zfsUserland(apt, '2.3.9', place), place.dir)
  })
})

testWith(needs, 'another version, or a package that lacks a library: none, with a note', async (t) => {
  await withUserland(t, async (apt, place, notes) => {
    t.is(await zfsUserland(apt, '2.4.4-1', place), undefined)
    t.regex(notes.join(), /no suite in reach has zfsutils-linux 2\.4\.4/)
    const incomplete = {
      ...apt,
      downloadWithDependencies: async (wanted: Parameters<FakeApt['download']>[0]) => [
        await apt.download(wanted),
      ],
    }
    t.is(await zfsUserland(incomplete, '2.3.9-1', place), undefined)
    t.regex(notes.join(), /lacks (?:libdeep\.so\.1|ld-linux-x86-64\.so\.2)/)
    t.false(existsSync(place.dir))
  })
})
