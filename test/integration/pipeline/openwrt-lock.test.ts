import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { fakeBuild } from '../../helpers/fake-openwrt.ts'

interface Lock {
  sources: { location: string; ref: string; commit: string }[]
  buildroot: { image: string } | null
}

test('lock after a build that stopped early: all is cached, and the buildroot is pinned all the same', async (t) => {
  const fake = await fakeBuild(t)
  const built = await fake.build(['--until', 'feeds'])
  t.is(built.exitCode, 0, built.stderr)
  const file = join(fake.home, 'fwbuild.lock')
  const source = ['--source', `${fake.source}#main`, '--hv', 'kvm']
  const locked = await fake.run('lock', [...source, '--json'])
  t.is(locked.exitCode, 0, locked.stderr)
  t.true(locked.stderr.includes('"outcome":"cached"'))
  t.false(locked.stderr.includes('"outcome":"done"'))
  const lock = JSON.parse(await readFile(file, 'utf8')) as Lock
  t.deepEqual(JSON.parse(locked.stdout), lock)
  t.is(lock.buildroot?.image, 'host')

  lock.sources[0]!.commit = '0'.repeat(40)
  await writeFile(file, JSON.stringify(lock))
  const gone = await fake.build(['--until', 'source'])
  t.is(gone.exitCode, 2)
  t.regex(gone.stderr, /has no commit 0{40} \[E_REF_UNKNOWN\]\n.*lock --update/)
  t.false(existsSync(join(fake.work, 'git/objects/info/alternates')))

  await writeFile(file, JSON.stringify({ ...lock, sources: [] }))
  const unpinned = await fake.build(['--until', 'source'])
  t.is(unpinned.exitCode, 0, unpinned.stderr)
  t.regex(unpinned.stderr, /warning: the lock file does not pin main of .*source: its newest commit/)
})

test('a lock of the miniature holds in another work directory', async (t) => {
  const fake = await fakeBuild(t)
  // --until source needs no buildroot, and pinning the rest of the miniature would need Docker.
  const args = ['--release', 'mini', '--engine', 'host', '--until', 'source']
  const lock = (sources: Lock['sources']): Promise<void> =>
    writeFile(
      join(fake.home, 'fwbuild.lock'),
      JSON.stringify({ version: 1, release: 'mini', sources, patches: [], buildroot: null }),
    )
  const first = await fake.run('openwrt', args)
  t.is(first.exitCode, 0, first.stderr)
  const record = JSON.parse(await readFile(join(fake.work, 'builds/mini/steps/source.json'), 'utf8')) as {
    outputs: Lock['sources'][number]
  }
  await lock([{ ...record.outputs, location: 'fwbuild:mini' }])
  const second = await fake.run('openwrt', [...args, '--work', join(fake.home, 'elsewhere')])
  t.is(second.exitCode, 0, second.stderr)
  t.notRegex(second.stderr, /does not pin/)
})
