import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { cli } from '../../helpers/cli.ts'
import { tagWorkDir } from '../../../src/effects/work-tag.ts'
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
  await tagWorkDir(work)
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
  await tagWorkDir(join(home, 'work'))
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
  await tagWorkDir(join(home, 'work'))
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
  for (const name of left) await writeFile(join(home, name), '')
  t.true(await tagWorkDir(home))
  await writeFile(join(home, 'mine.tmp'), '')
  const result = await cli(['clean', '--downloads', '--work', home], { cwd: home })
  t.is(result.exitCode, 0, result.stderr)
  t.deepEqual(await readdir(home), ['CACHEDIR.TAG', 'mine.tmp'])
  const told = ['CACHEDIR.TAG.0123456789ab.tmp', 'lock.5f0e7c1a-1111-4222-8333-444455556666', 'scratch']
  t.is(result.stdout, told.map((name) => `removed ${join(home, name)}\n`).join(''))
})

test('clean: what is removed or left behind: nothing where fwbuild’s own tag is not', async (t) => {
  const home = await temporaryDirectory(t)
  for (const folder of ['scratch', 'dl', 'trees/mini', 'letters']) {
    await mkdir(join(home, folder), { recursive: true })
    await writeFile(join(home, folder, 'mine'), '')
  }
  t.false(await tagWorkDir(home), 'letters are none of fwbuild’s')
  for (const tag of ['', 'Signature: 8a477f597d28d172789f06886806bc55\n# made by another program\n']) {
    if (tag !== '') await writeFile(join(home, 'CACHEDIR.TAG'), tag)
    const result = await cli(['clean', '--downloads', '--release', 'mini', '--work', home], { cwd: home })
    t.is(result.exitCode, 2)
    t.regex(result.stderr, /no work directory of fwbuild’s own.*\[E_CLEAN_FOREIGN\]/)
  }
  for (const folder of ['scratch', 'dl', 'trees/mini', 'letters']) {
    t.deepEqual(await readdir(join(home, folder)), ['mine'])
  }
  t.false(existsSync(join(home, 'lock')))
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
