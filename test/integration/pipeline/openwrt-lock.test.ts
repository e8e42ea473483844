import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { Lockfile } from '../../../src/core/spec/lockfile.ts'
import { cli } from '../../helpers/cli.ts'
import { fakeBuild } from '../../helpers/fake-openwrt.ts'
import { commit, git } from '../../helpers/git-repository.ts'

test('a lock file pins the commit that was there, until it is updated', async (t) => {
  const fake = await fakeBuild(t)
  const source = ['--source', `${fake.source}#main`]
  const first = git(fake.source, 'rev-parse', 'HEAD')
  const locked = await fake.run('lock', source)
  t.is(locked.exitCode, 0, locked.stderr)
  const file = join(fake.home, 'fwbuild.lock')
  const read = async (): Promise<Lockfile> => JSON.parse(await readFile(file, 'utf8')) as Lockfile
  t.deepEqual((await read()).sources, [{ location: fake.source, ref: 'main', commit: first }])

  const second = commit(fake.source, 'later', { 'a-new-file': 'x\n' })
  const pinned = await fake.build(['--until', 'patch'])
  t.is(pinned.exitCode, 0, pinned.stderr)
  t.is(git(fake.tree, 'rev-parse', 'HEAD'), first)

  const updated = await fake.run('lock', [...source, '--update'])
  t.is(updated.exitCode, 0, updated.stderr)
  t.is((await read()).sources[0]?.commit, second)
  t.is((await fake.build(['--until', 'patch'])).exitCode, 0)
  t.is(git(fake.tree, 'rev-parse', 'HEAD'), second)
})

test('patches that are not those of the lock file are refused', async (t) => {
  const fake = await fakeBuild(t)
  t.is((await fake.run('lock', ['--source', `${fake.source}#main`])).exitCode, 0)
  const patch =
    '--- a/known-symbols\n+++ b/known-symbols\n@@ -1,2 +1,3 @@\n+NEW\n TARGET_x86\n TARGET_x86_64\n'
  await writeFile(join(fake.home, 'new.patch'), patch)
  const result = await fake.build(['--patch', 'new.patch', '--until', 'patch'])
  t.is(result.exitCode, 1, result.stderr)
  t.regex(result.stderr, /not those of the lock file: new\.patch \[E_LOCK_PATCHES\]/)
})

test('reproduce.sh builds the same images again from the output directory alone', async (t) => {
  const fake = await fakeBuild(t)
  t.is((await fake.build(['--firmware', 'bios'])).exitCode, 0)
  const script = await readFile(join(fake.output, 'reproduce.sh'), 'utf8')
  const words = /^exec "\$fwbuild" (.*) "\$@"$/m
    .exec(script)?.[1]
    ?.replace('"$here', fake.output)
    .replace('"', '')
  commit(fake.source, 'later', { 'a-new-file': 'x\n' })
  const before = await readFile(join(fake.output, 'sha256sums'), 'utf8')
  const result = await cli(
    [...(words ?? '').split(' '), '--engine', 'host', '--work', fake.work, '--output', fake.output],
    { cwd: fake.home, env: { PATH: process.env['PATH'], HOME: fake.home } },
  )
  t.is(result.exitCode, 0, result.stderr)
  t.is(await readFile(join(fake.output, 'sha256sums'), 'utf8'), before)
  t.notRegex(result.stderr, / done \(/)
})

test('a shell command runs in the build’s tree; its failure is the command’s', async (t) => {
  const fake = await fakeBuild(t)
  t.is((await fake.build(['--until', 'configure'])).exitCode, 0)
  const result = await fake.run('shell', ['--', 'sh', '-c', 'pwd; id -u; cat .config'])
  t.is(result.exitCode, 0, result.stderr)
  t.is(result.stdout.split('\n')[0], fake.tree)
  t.not(result.stdout.split('\n')[1], '0')
  t.regex(result.stdout, /^CONFIG_TARGET_x86_64=y$/m)
  const failed = await fake.run('shell', ['--', 'false'])
  t.is(failed.exitCode, 1)
  t.regex(failed.stderr, /false ended with 1/)
})
