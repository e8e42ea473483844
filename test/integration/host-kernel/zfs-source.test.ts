import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { areaOf } from '../../../src/effects/beneath/area.ts'
import type { FwbuildError } from '../../../src/core/errors.ts'
import type { Session } from '../../../src/effects/engine.ts'
import { fetchZfs, type ZfsRequest } from '../../../src/pipeline/host-kernel/zfs-source.ts'
import type { ZfsPlace } from '../../../src/pipeline/host-kernel/zfs-unpack.ts'
import { fakeApt, fakeZfsTree, hostSession, packDeb, user, type FakeApt } from '../../helpers/fake-zfs.ts'
import { needProgram, testWith } from '../../helpers/need.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

const signal = new AbortController().signal
const needs = [needProgram('dpkg-deb'), needProgram('tar')]

const pathWish = (work: string, name: string) => ({ kind: 'path', value: join(work, name) }) as const

interface Bench {
  readonly work: string
  readonly place: ZfsPlace
  readonly apt: FakeApt
  readonly notes: string[]
  readonly request: (more?: Partial<ZfsRequest>) => ZfsRequest
  readonly debs: Readonly<Record<string, string>>
}

/** An archive with one version for old kernels and two for newer ones. */
async function withArchive(t: ExecutionContext, body: (bench: Bench) => Promise<void>): Promise<void> {
  const work = await temporaryDirectory(t)
  const root = join(work, 'w', 'zfs')
  await using session: Session = await hostSession(work, signal)
  mkdirSync(root, { recursive: true })
  const deb = (version: string, upstream: string, maximum: string): string => {
    const folder = join(work, `deb-${version}`)
    fakeZfsTree(join(folder, 'usr', 'src', `zfs-${upstream}`), { version: upstream, maximum })
    return packDeb(folder, 'zfs-dkms', version, join(work, 'w', 'dl', `zfs-dkms_${version}_all.deb`))
  }
  const debs = {
    '2.1.11-1': deb('2.1.11-1', '2.1.11', '6.2'),
    '2.3.9-0': deb('2.3.9-0', '2.3.9', '7.2'),
    '2.4.4-1~bpo': deb('2.4.4-1~bpo', '2.4.4', '7.2'),
    '2.4.4-1': deb('2.4.4-1', '2.4.4', '7.2'),
  }
  const suites = ['bookworm', 'trixie', 'trixie-backports', 'sid']
  const apt = fakeApt(
    Object.entries(debs).map(([version, path], index) => ({
      name: 'zfs-dkms',
      version,
      suite: suites[index] ?? '',
      deb: path,
    })),
  )
  const notes: string[] = []
  await body({
    work,
    place: { session, root, area: areaOf(join(work, 'w'), user), scratchDir: join(work, 'scratch'), signal },
    apt,
    notes,
    debs,
    request: (more) => ({
      wish: { kind: 'any' },
      kernel: '6.1.192',
      note: (text) => void notes.push(text),
      ...more,
    }),
  })
}

testWith(needs, 'the first suite that fits, and nothing else downloaded', async (t) => {
  await withArchive(t, async ({ apt, place, request }) => {
    const found = await fetchZfs(apt, request(), place)
    t.is(found.version, '2.1.11-1')
    t.is(found.suite, 'bookworm')
    t.is(found.dir, join(place.root, 'src'))
    t.deepEqual(apt.downloaded, ['2.1.11-1'])
    t.deepEqual(readdirSync(place.root), ['src'])
    const { uid } = statSync(join(found.dir, 'configure'))
    t.is(uid, user.uid)
  })
})

testWith(needs, 'the version of the host’s commands first; what does not fit is passed over', async (t) => {
  await withArchive(t, async ({ apt, place, request }) => {
    t.is((await fetchZfs(apt, request({ userland: '2.4.4-1' }), place)).version, '2.4.4-1')
    const newer = await fetchZfs(apt, request({ kernel: '6.12.1', userland: '2.1.11-1' }), place)
    t.is(newer.version, '2.3.9-0')
    t.deepEqual(apt.downloaded, ['2.4.4-1', '2.1.11-1', '2.3.9-0'])
    t.is(newer.meta.version, '2.3.9')
  })
})

testWith(needs, 'a version that the pool lost is told, and the next one taken', async (t) => {
  await withArchive(t, async ({ apt, place, request, debs, notes }) => {
    rmSync(debs['2.1.11-1'] ?? '')
    t.is((await fetchZfs(apt, request(), place)).version, '2.3.9-0')
    t.regex(notes.join(), /2\.1\.11-1 is in the index of bookworm, but gone/)
    for (const path of Object.values(debs)) rmSync(path, { force: true })
    await t.throwsAsync(fetchZfs(apt, request(), place), { code: 'E_APT_GONE' })
    t.true(existsSync(join(place.root, 'src', 'META')), 'what was there stays')
  })
})

testWith(needs, 'no version fits: each upstream version once, with its range', async (t) => {
  await withArchive(t, async ({ apt, place, request }) => {
    const error = await t.throwsAsync<FwbuildError>(fetchZfs(apt, request({ kernel: '7.3.4' }), place), {
      code: 'E_ZFS_KERNEL',
    })
    t.is(error.exitCode, 1)
    t.is(error.message.split('\n').length, 4)
    t.deepEqual(readdirSync(place.root), [])
    const wish = { kind: 'version', value: '2.1.11' } as const
    const named = await t.throwsAsync<FwbuildError>(fetchZfs(apt, request({ kernel: '6.12', wish }), place))
    t.is(named.exitCode, 2)
    await t.throwsAsync(fetchZfs(apt, request({ wish: { kind: 'version', value: '2.2' } }), place), {
      code: 'E_ZFS_VERSION',
    })
  })
})

testWith(needs, 'a tree is copied without what an earlier build left in it', async (t) => {
  await withArchive(t, async ({ work, apt, place, request }) => {
    const tree = fakeZfsTree(join(work, 'my-zfs'))
    for (const name of ['module/zfs.o', 'module/.zfs.o.cmd', 'config.cache', 'config.status'])
      writeFileSync(join(tree, name), '')
    for (const name of ['.git', 'build']) mkdirSync(join(tree, name))
    utimesSync(join(tree, 'configure'), 1_000_000, 1_000_000)
    const found = await fetchZfs(apt, request({ wish: pathWish(work, 'my-zfs') }), place)
    t.deepEqual(readdirSync(found.dir).sort(), ['META', 'Makefile.in', 'configure', 'module'])
    t.deepEqual(readdirSync(join(found.dir, 'module')).sort(), ['Kbuild', 'Makefile.in', 'spl.c', 'zfs.c'])
    t.is(statSync(join(found.dir, 'configure')).mtimeMs, 1_000_000_000)
    t.is(found.suite, undefined)
    rmSync(join(tree, 'configure'))
    const error = await t.throwsAsync<FwbuildError>(
      fetchZfs(apt, request({ wish: pathWish(work, 'my-zfs') }), place),
      { code: 'E_ZFS_CONFIGURE' },
    )
    t.regex(error.hint ?? '', /autogen\.sh/)
    t.true(existsSync(join(found.dir, 'configure')), 'what was there stays')
    rmSync(join(tree, 'META'))
    await t.throwsAsync(fetchZfs(apt, request({ wish: pathWish(work, 'my-zfs') }), place), {
      code: 'E_ZFS_META',
    })
  })
})

testWith(needs, 'a tarball is unpacked; a damaged one is refused', async (t) => {
  await withArchive(t, async ({ work, apt, place, request }) => {
    fakeZfsTree(join(work, 'zfs-2.3.9'))
    t.is(spawnSync('tar', ['-C', work, '-czf', join(work, 'zfs.tar.gz'), 'zfs-2.3.9']).status, 0)
    const found = await fetchZfs(apt, request({ wish: pathWish(work, 'zfs.tar.gz') }), place)
    t.is(found.version, '2.3.9-1')
    t.true(existsSync(join(found.dir, 'META')))
    t.deepEqual(apt.downloaded, [])
    const tooNew = request({ kernel: '7.3', wish: pathWish(work, 'zfs.tar.gz') })
    await t.throwsAsync(fetchZfs(apt, tooNew, place), { code: 'E_ZFS_KERNEL' })
    writeFileSync(join(work, 'bad.tar.gz'), 'no archive')
    await t.throwsAsync(fetchZfs(apt, request({ wish: pathWish(work, 'bad.tar.gz') }), place), {
      code: 'E_ZFS_TARBALL',
    })
  })
})
