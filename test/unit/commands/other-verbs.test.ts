import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { cli } from '../../helpers/cli.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

test('clean: needs something named, removes a release’s tree and records, keeps what builds share', async (t) => {
  const home = await temporaryDirectory(t)
  const work = join(home, 'work')
  const kept = ['git/HEAD', 'ccache/x', 'trees/main/x', 'dl/x.tar']
  const gone = ['trees/mini/x', 'builds/mini/steps/source.json', 'feeds/mini/x']
  for (const path of [...kept, ...gone]) {
    await mkdir(join(work, path, '..'), { recursive: true })
    await writeFile(join(work, path), '')
  }
  const run = (...args: string[]) => cli(['clean', '--work', 'work', ...args], { cwd: home })
  t.is((await run()).exitCode, 2)
  t.regex((await run('--release', 'nope')).stderr, /unknown release ‘nope’/)
  const result = await run('--release', 'mini')
  t.is(result.exitCode, 0, result.stderr)
  for (const path of kept) t.true(existsSync(join(work, path)), path)
  for (const path of gone) t.false(existsSync(join(work, path)), path)
  t.is((await run('--downloads')).exitCode, 0)
  t.false(existsSync(join(work, 'dl')))
  t.true(existsSync(join(work, 'git/HEAD')))
  t.false(existsSync(join(work, 'lock')))
})

test('clean --host-kernel: every host kernel goes, releases and the signing key stay', async (t) => {
  const home = await temporaryDirectory(t)
  const kept = ['trees/mini', 'builds/mini', 'keys/apt', 'ccache']
  const gone = ['trees/host-kernel', 'trees/host-kernel-6.12', 'builds/host-kernel', 'proof']
  for (const folder of [...kept, ...gone]) await mkdir(join(home, 'work', folder), { recursive: true })
  const result = await cli(['clean', '--work', 'work', '--host-kernel'], { cwd: home })
  t.is(result.exitCode, 0, result.stderr)
  for (const folder of kept) t.true(existsSync(join(home, 'work', folder)), folder)
  for (const folder of gone) t.false(existsSync(join(home, 'work', folder)), folder)
})

test('clean: makes no work directory, says so where nothing is left, takes it from the settings', async (t) => {
  const home = await temporaryDirectory(t)
  const absent = await cli(['clean', '--release', 'mini', '--work', 'absent'], { cwd: home })
  t.is(absent.exitCode, 2)
  t.regex(absent.stderr, /no work directory .*absent \[E_CLEAN_NOTHING\]/)
  t.false(existsSync(join(home, 'absent')))

  await mkdir(join(home, 'work/builds/mini'), { recursive: true })
  await writeFile(join(home, 'fwbuild.yaml'), 'version: 1\nwork: work\n')
  const env = { PATH: process.env['PATH'], HOME: home }
  const first = await cli(['clean', '--release', 'mini'], { cwd: home, env })
  t.is(first.stdout, `removed ${join(home, 'work/builds/mini')}\n`)
  const second = await cli(['clean', '--release', 'mini'], { cwd: home, env })
  t.is(second.stdout, `nothing to remove in ${join(home, 'work')}\n`)
})

test('clean: takes along what killed runs had not finished', async (t) => {
  const home = await temporaryDirectory(t)
  const left = [
    'scratch',
    'CACHEDIR.TAG.0123456789ab.tmp',
    'lock.5f0e7c1a-1111-4222-8333-444455556666',
    'lock.crashed',
    'lock',
  ]
  for (const name of [...left, 'mine.tmp']) await writeFile(join(home, name), '')
  const result = await cli(['clean', '--downloads', '--work', home], { cwd: home })
  t.is(result.exitCode, 0, result.stderr)
  t.deepEqual(await readdir(home), ['mine.tmp'])
})

test('shell: needs a terminal or a command, and a tree', async (t) => {
  const home = await temporaryDirectory(t)
  const env = { PATH: process.env['PATH'], HOME: home }
  const args = ['shell', '--engine', 'host', '--work', 'work', '--release', 'mini']
  const terminal = await cli(args, { cwd: home, env })
  t.is(terminal.exitCode, 2)
  t.regex(terminal.stderr, /\[E_NO_TERMINAL\]\n.*name a command/)
  const tree = await cli([...args, '--', 'true'], { cwd: home, env })
  t.is(tree.exitCode, 2)
  t.regex(tree.stderr, /there is no tree of mini .* \[E_NO_TREE\]/)
  t.false(existsSync(join(home, 'work')))
})

test('lock: an existing file is only replaced with --update', async (t) => {
  const home = await temporaryDirectory(t)
  await writeFile(join(home, 'fwbuild.lock'), 'mine')
  const result = await cli(['lock', '--release', 'mini'], { cwd: home, env: { HOME: home } })
  t.is(result.exitCode, 2)
  t.regex(result.stderr, /fwbuild\.lock exists \[E_LOCK_EXISTS\]\n.*--update/)
})

test('lock and shell: options of a build that they would not heed are refused', async (t) => {
  const home = await temporaryDirectory(t)
  for (const args of [
    ['lock', '--dry-run'],
    ['lock', '--until', 'source'],
    ['shell', '--explain'],
  ]) {
    const result = await cli(args, { cwd: home, env: { HOME: home } })
    t.is(result.exitCode, 2)
    t.regex(result.stderr, /unknown option '--(dry-run|until|explain)'/)
  }
})
