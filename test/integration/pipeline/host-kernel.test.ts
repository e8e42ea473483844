import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { spawn } from 'node:child_process'
import test from 'ava'
import { hostManifestSchema } from '../../../src/core/manifest/host-manifest.ts'
import { fakeKernelBuild } from '../../helpers/fake-kernel.ts'
import { needProgram, testWith } from '../../helpers/need.ts'
import { outcomesOf } from '../../helpers/outcomes.ts'

const first = 'static const int first = 1;'

test('from a tree to packages: what was asked for is in it, and the user’s tree is as it was', async (t) => {
  const fake = await fakeKernelBuild(t)
  const patch = await fake.patch('one.patch', first, 'static const int first = 11;')
  const built = await fake.build(['--patch', patch, '--localversion=-mine', '--until', 'packages'])
  t.is(built.exitCode, 0, built.stderr)
  t.regex(await readFile(join(fake.tree, 'drivers/pci/quirks.c'), 'utf8'), /first = 11;/)
  t.regex(await readFile(join(fake.source, 'drivers/pci/quirks.c'), 'utf8'), /first = 1;/)
  const debs = (await readdir(join(fake.tree, '../debs')))
    .map((name) => name.replace(/\+[0-9a-f]{8}-/, '+BUILD-'))
    .sort()
  t.deepEqual(debs, [
    'linux-headers-6.1.7-mine_6.1.7+BUILD-1_amd64.deb',
    'linux-image-6.1.7-mine_6.1.7+BUILD-1_amd64.deb',
  ])
})

test('nothing changed: every step cached; another patch: source and configuration stay', async (t) => {
  const fake = await fakeKernelBuild(t)
  const patch = await fake.patch('one.patch', first, 'static const int first = 11;')
  const args = ['--patch', patch, '--until', 'packages', '--json']
  await fake.build(args)
  const cached = await fake.build(args)
  t.true(
    outcomesOf(cached.stderr).every((outcome) => outcome.endsWith(': cached')),
    cached.stderr,
  )
  await fake.patch('one.patch', first, 'static const int first = 12;')
  const again = await fake.build([...args, '--explain'])
  const outcomes = outcomesOf(again.stderr)
  t.true(outcomes.includes('source: cached'))
  t.true(outcomes.includes('patch: done'))
  t.true(outcomes.includes('zfs-source: cached'), 'it does not depend on a patch')
  t.true(outcomes.includes('compile: done'))
  t.regex(again.stderr, /patch ran again, its inputs differ:\n {2}patches\.0\.sha256/)
  t.regex(await readFile(join(fake.tree, 'drivers/pci/quirks.c'), 'utf8'), /first = 12;/)
})

test('a patch that does not fit: refused with the hunk, nothing changed', async (t) => {
  const fake = await fakeKernelBuild(t)
  await fake.build(['--until', 'compile'])
  const before = await readFile(join(fake.tree, 'drivers/pci/quirks.c'), 'utf8')
  const patch = await fake.patch('unfit.patch', 'no such line', 'nor this one')
  const refused = await fake.build(['--patch', patch])
  t.is(refused.exitCode, 1)
  t.regex(
    refused.stderr,
    /unfit\.patch does not fit Linux 6\.1\.7 \[E_PATCH_REFUSED\]:\n {2,}drivers\/pci\/quirks\.c hunk 1: /,
  )
  t.is(await readFile(join(fake.tree, 'drivers/pci/quirks.c'), 'utf8'), before)
})

test('a required symbol that the configuration loses: named, explained, with what makes it hold', async (t) => {
  const fake = await fakeKernelBuild(t)
  const fragment = await fake.fragment('CONFIG_MODULES=y\nCONFIG_DEPENDENT=y\n')
  const result = await fake.build(['--fragment', fragment])
  t.is(result.exitCode, 1)
  t.regex(result.stderr, /\[E_CONFIG_DROPPED\]/)
  t.regex(result.stderr, /DEPENDENT: wanted y \(.*my\.config:2\)/)
  t.regex(result.stderr, /CONFIG_BASE=y/)
})

test('a file that does not compile: its name and first error; mended, the next run goes on', async (t) => {
  const fake = await fakeKernelBuild(t)
  const patch = await fake.patch('broken.patch', first, 'BROKEN first;')
  const failed = await fake.build(['--patch', patch])
  t.is(failed.exitCode, 1)
  t.regex(
    failed.stderr,
    /drivers\/pci\/quirks\.o failed to build \[E_MAKE\]:\n(?:.*\n)*.*error: unknown type name/,
  )
  t.false(existsSync(join(fake.output, 'manifest.json')))
  await fake.patch('broken.patch', first, 'static const int first = 3;')
  const mended = await fake.build(['--patch', patch, '--until', 'compile', '--json'])
  t.is(mended.exitCode, 0, mended.stderr)
  t.true(outcomesOf(mended.stderr).includes('source: cached'))
})

test('a disk that fills while it compiles', async (t) => {
  const fake = await fakeKernelBuild(t)
  const patch = await fake.patch('full.patch', first, 'int FULL;')
  const full = await fake.build(['--patch', patch])
  t.is(full.exitCode, 3)
  t.regex(full.stderr, /no space left .*\[E_DISK_FULL\]/)
})

test('interrupted in mid-compile: 130, and the next run goes on there', async (t) => {
  const fake = await fakeKernelBuild(t)
  const patch = await fake.patch('slow.patch', first, 'int SLOW;')
  const controller = new AbortController()
  const interrupted = await fake.build(['--patch', patch, '--verbose'], {
    signal: controller.signal,
    onStderr: (text) => {
      if (text.includes('CC      drivers/pci/quirks.o')) controller.abort()
    },
  })
  t.is(interrupted.exitCode, 130, interrupted.stderr)
  await fake.patch('slow.patch', first, 'int quick;')
  const again = await fake.build(['--patch', patch, '--until', 'compile', '--json'])
  t.is(again.exitCode, 0, again.stderr)
  t.true(outcomesOf(again.stderr).includes('source: cached'))
})

test('killed at any moment, the next run completes', async (t) => {
  t.timeout(120_000)
  const fake = await fakeKernelBuild(t)
  const args = ['--until', 'packages']
  for (const delayMs of [300, 700, 1100, 1500, 2000]) {
    const child = spawn(process.execPath, ['dist/src/cli.js', ...fake.commandLine(args)], { stdio: 'ignore' })
    // On a fast machine it may be done before.
    const exited = new Promise((resolve) => child.once('exit', resolve))
    await sleep(delayMs)
    child.kill('SIGKILL')
    await exited
  }
  const built = await fake.build(args)
  t.is(built.exitCode, 0, built.stderr)
})

test('a machine without apt-utils is told after the packages, which are kept', async (t) => {
  const fake = await fakeKernelBuild(t)
  const bin = join(fake.home, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'apt-ftparchive'), '#!/bin/sh\nexit 127\n', { mode: 0o755 })
  const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: fake.home }
  const built = await fake.build([], { env })
  t.is(built.exitCode, 3, built.stderr)
  t.regex(
    built.stderr,
    /apt-ftparchive is not installed \[E_PROGRAM_MISSING\]\n {2}apt-get install apt-utils/,
  )
})

testWith([needProgram('apt-ftparchive')], 'the manifest says what was built of what', async (t) => {
  const fake = await fakeKernelBuild(t)
  const patch = await fake.patch('one.patch', first, 'static const int first = 11;')
  const built = await fake.build(['--patch', patch, '--json'])
  t.is(built.exitCode, 0, built.stderr)
  const manifest = hostManifestSchema.parse(JSON.parse(built.stdout))
  t.is(manifest.kernel.release, '6.1.7-fwbuild')
  t.deepEqual(
    manifest.patches.map(({ name, status, hunks }) => [name, status, hunks]),
    [['one.patch', 'applied', 'exact']],
  )
  t.is(manifest.proofs.groups, null)
  t.true(manifest.packages.some(({ path }) => path.startsWith('linux-image-6.1.7-fwbuild_')))
  t.regex(await readFile(join(fake.output, 'patches/001-one.patch'), 'utf8'), /first = 11/)
})

test('sources that are none: told, exit 2 or 1, nothing left', async (t) => {
  const fake = await fakeKernelBuild(t)
  await rm(join(fake.source, 'Kconfig'))
  const none = await fake.build()
  t.is(none.exitCode, 1)
  t.regex(none.stderr, /is no Linux kernel source.*\[E_NOT_KERNEL\]/)
  await rm(fake.source, { recursive: true })
  const missing = await fake.build()
  t.is(missing.exitCode, 2)
  t.regex(missing.stderr, /\[E_SOURCE_MISSING\]/)
  const config = await fake.build(['--config=./no.config', `--source=${fake.home}`])
  t.is(config.exitCode, 2)
  t.regex(config.stderr, /no\.config does not exist \[E_CONFIG_UNREADABLE\]/)
})

test('where the results cannot go is told before anything is built', async (t) => {
  const fake = await fakeKernelBuild(t)
  await mkdir(fake.output, { recursive: true })
  await writeFile(join(fake.output, 'install.sh'), '#!/bin/sh\n# mine\n')
  const taken = await fake.build()
  t.is(taken.exitCode, 2)
  t.regex(taken.stderr, /install\.sh is there and is no install\.sh of fwbuild \[E_OUTPUT_TAKEN\]/)
  t.false(existsSync(fake.tree), 'nothing was fetched')
  await rm(fake.output, { recursive: true })
  await writeFile(fake.output, '')
  const file = await fake.build()
  t.is(file.exitCode, 2)
  t.regex(file.stderr, /is no folder \[E_OUTPUT_TAKEN\]/)
})

test('a configuration without modules, and modules asked for: told at once', async (t) => {
  const fake = await fakeKernelBuild(t)
  const built = await fake.build(['--config=micro', '--zfs=on'])
  t.is(built.exitCode, 2)
  t.regex(built.stderr, /--config micro has no modules, and --zfs needs them \[E_CONFIG_WORD\]/)
})

test('a tarball with a wrong hash is not unpacked', async (t) => {
  const fake = await fakeKernelBuild(t)
  const tarball = join(fake.home, 'linux.tar.xz')
  await writeFile(tarball, 'something else')
  const result = await fake.build(['--source', tarball, '--sha256', 'a'.repeat(64)])
  t.is(result.exitCode, 3)
  t.regex(result.stderr, /is not what was asked for \[E_HASH\]:\n.*sha256 [0-9a-f]{64}\n.*wanted a{64}/)
  t.false(existsSync(fake.tree))
})

test('a tree that was changed is another source', async (t) => {
  const fake = await fakeKernelBuild(t)
  await fake.build(['--until', 'compile'])
  const file = join(fake.source, 'drivers/pci/stub.c')
  await writeFile(file, 'int pci_stub_with_a_change;\n')
  const again = await fake.build(['--until', 'compile', '--json'])
  t.is(again.exitCode, 0, again.stderr)
  t.true(outcomesOf(again.stderr).includes('source: done'))
  t.regex(await readFile(join(fake.tree, 'drivers/pci/stub.c'), 'utf8'), /with_a_change/)
})

test('a tree that was built in place is not taken', async (t) => {
  const fake = await fakeKernelBuild(t)
  await mkdir(join(fake.source, 'include/config'), { recursive: true })
  await writeFile(join(fake.source, 'include/config/auto.conf'), '')
  const result = await fake.build()
  t.is(result.exitCode, 2)
  t.regex(result.stderr, /\[E_SOURCE_NOT_CLEAN\]/)
  t.regex(result.stderr, /mrproper/)
})
