import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { appendFile, cp } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { openwrtSpec } from '../../../src/core/spec/openwrt-spec.ts'
import { trustDomain } from '../../../src/core/spec/trust-domain.ts'
import { requireApart } from '../../../src/effects/mounts.ts'
import { dropForeignTree } from '../../../src/pipeline/openwrt/foreign-tree.ts'
import { placesOf, type DomainPlaces } from '../../../src/pipeline/openwrt/places.ts'
import { cli } from '../../helpers/cli.ts'
import { fakeBuild, fakeRelease, type FakeBuild } from '../../helpers/fake-openwrt.ts'
import { commit, newRepository } from '../../helpers/git-repository.ts'
import { never } from '../../helpers/host-session.ts'
import { filesWith, fullListing } from '../../helpers/plant.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

/** What a hostile tree leaves in all that it may write to, named as later builds look for it. */
const planting = `
plant() {
  for folder in "$(value DOWNLOAD_FOLDER)" "$CCACHE_DIR" build_dir staging_dir; do
    mkdir -p "$folder" && echo planted >"$folder/zlib-1.2.tar.xz" && echo planted >"$folder/planted"
  done
}
`

async function hostileSource(fake: FakeBuild): Promise<string> {
  const source = join(fake.home, 'hostile')
  await cp('test/fixtures/fake-openwrt', source, { recursive: true })
  const script = join(source, 'scripts/build')
  const text = readFileSync(script, 'utf8')
  writeFileSync(script, text.replace('download() {', `${planting}\ndownload() {\n  plant`))
  newRepository(source)
  commit(source, 'hostile tree', {})
  return source
}

test('what a foreign tree wrote is nowhere in the next build that shares the work directory', async (t) => {
  const fake = await fakeBuild(t)
  const hostile = await hostileSource(fake)
  const first = await fake.build(['--source', `${hostile}#main`])
  t.is(first.exitCode, 0, first.stderr)
  const foreign = trustDomain(openwrtSpec([{ release: fakeRelease, source: hostile }])).name
  t.not(foreign, fake.domain)
  t.is(filesWith(join(fake.work, 'downloads', foreign), 'planted').length, 2)
  t.false(existsSync(join(fake.work, 'dl')), 'the folder of the catalogue’s releases is theirs to make')

  const second = await fake.build()
  t.is(second.exitCode, 0, second.stderr)
  for (const folder of ['trees', 'downloads', 'ccache', 'builds']) {
    const own = join(fake.work, folder, fake.domain)
    t.deepEqual(existsSync(own) ? filesWith(own, 'planted') : [], [], folder)
  }
  t.is(readFileSync(join(fake.work, 'downloads', fake.domain, 'zlib-1.2.tar.xz'), 'utf8'), 'archive\n')
  t.deepEqual(filesWith(fake.output, 'planted'), [])

  const cleaned = await cli(['clean', '--work', fake.work, '--release', fakeRelease, '--downloads'], {
    cwd: fake.home,
    env: { HOME: fake.home },
  })
  for (const name of [foreign, fake.domain]) {
    for (const folder of ['trees', 'builds', 'downloads']) {
      t.true(cleaned.stdout.includes(`removed ${join(fake.work, folder, name)}\n`), cleaned.stdout)
      t.false(existsSync(join(fake.work, folder, name)))
    }
  }
})

test('the user’s archives are read by a foreign tree, and stay as they are', async (t) => {
  const fake = await fakeBuild(t)
  const hostile = await hostileSource(fake)
  const dl = join(fake.home, 'archives')
  mkdirSync(dl)
  writeFileSync(join(dl, 'zlib-1.2.tar.xz'), 'the user’s\n')
  const before = fullListing(dl)
  const kept = await fake.build(['--dl', dl, '--until', 'download'])
  t.is(kept.exitCode, 0, kept.stderr)
  t.regex(kept.stderr, /0 files, 1 offered/)
  t.is(readFileSync(join(fake.work, 'downloads', fake.domain, 'zlib-1.2.tar.xz'), 'utf8'), 'the user’s\n')
  const again = await fake.build(['--dl', dl, '--until', 'download'])
  t.regex(again.stderr, /Download sources cached/)
  t.deepEqual(fullListing(dl), before)
  // An archive that the user takes away is not offered any more.
  await appendFile(join(dl, 'zlib-1.2.tar.xz'), 'more\n')
  t.regex((await fake.build(['--dl', dl, '--until', 'download'])).stderr, /Download sources done/)
  if (process.getuid?.() === 0) {
    const changed = fullListing(dl)
    await fake.build(['--dl', dl, '--source', `${hostile}#main`, '--until', 'download'])
    t.deepEqual(fullListing(dl), changed)
  }
})

test('a release’s tree in which foreign code was built before there were domains is not gone on with', async (t) => {
  const work = await temporaryDirectory(t)
  const spec = openwrtSpec([{ release: fakeRelease }])
  const paths = { project: process.cwd(), work, output: join(work, 'out'), dl: join(work, 'dl') }
  const settings = { spec, paths } as Parameters<typeof dropForeignTree>[0]
  const record = (step: string, outputs: unknown): void => {
    mkdirSync(join(work, 'builds', fakeRelease, 'last'), { recursive: true })
    writeFileSync(join(work, 'builds', fakeRelease, 'last', `${step}.json`), JSON.stringify({ outputs }))
    mkdirSync(join(work, 'trees', fakeRelease, 'build_dir'), { recursive: true })
  }
  const told: string[] = []
  const drop = (): Promise<void> =>
    dropForeignTree(settings, trustDomain(spec), { signal: never, tell: (text) => told.push(text) })
  const own = spec.release.source.kind === 'git' ? spec.release.source.url : ''
  record('source', { location: own, ref: 'openwrt-22.03', commit: '1' })
  await drop()
  t.true(existsSync(join(work, 'trees', fakeRelease)))
  record('merge', { merges: [{ location: 'https://a.example/x.git', ref: 'x', commit: '2' }] })
  await drop()
  t.false(existsSync(join(work, 'trees', fakeRelease)))
  t.false(existsSync(join(work, 'builds', fakeRelease)))
  t.is(told.length, 1)
  t.regex(told[0] ?? '', /what https:\/\/a\.example\/x\.git compiled/)
})

test('records, history and output in a folder that the build writes to are refused', async (t) => {
  const work = await temporaryDirectory(t)
  const mount = (source: string) => [{ source, target: '/build/dl' }]
  const places = [join(work, 'builds/x'), join(work, 'out')]
  await t.notThrowsAsync(requireApart(mount(join(work, 'dl')), places))
  await t.notThrowsAsync(requireApart([{ source: work, target: '/x', readonly: true }], places))
  for (const source of [work, join(work, 'builds'), join(work, 'out'), '/'])
    await t.throwsAsync(requireApart(mount(source), places), { code: 'E_PLACES' })
})

test('no folder that a foreign build writes to is another’s, or fwbuild’s own', async (t) => {
  const work = await temporaryDirectory(t)
  const foreign = ['/a/tree', '/b/tree'].map((source) => ({ release: fakeRelease, source }))
  const specs = [
    ...foreign,
    { release: fakeRelease },
    { release: 'mini' },
    { release: 'mini', source: '/a/tree' },
  ]
  const paths = { project: process.cwd(), work, output: join(work, 'out'), dl: join(work, 'dl') }
  const places = specs.map((options) => placesOf(paths, trustDomain(openwrtSpec([options]))))
  for (const [index, own] of places.entries()) {
    const writable = [own.tree, own.ccache, own.dl]
    const others = places
      .filter((_, at) => at !== index)
      .flatMap((each) => [each.tree, each.ccache, each.stateDir])
    const isForeign = own.offered !== undefined
    const forbidden = [...others, own.stateDir, ...(isForeign ? [paths.dl, ...othersDl(places, index)] : [])]
    for (const folder of writable)
      for (const other of forbidden)
        t.false(`${other}/`.startsWith(`${folder}/`) || folder.startsWith(`${other}/`))
  }
})

const othersDl = (places: readonly DomainPlaces[], index: number): readonly string[] =>
  places.filter((_, at) => at !== index).map(({ dl }) => dl)
