import { cp, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import { createMiniRepository } from '../../../src/effects/mini-repository.ts'

const fixture = 'test/fixtures/mini-openwrt'
const { signal } = new AbortController()

async function scratchDir(t: { teardown: (done: () => Promise<void>) => void }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'fwbuild-mini-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

const git = (gitDir: string, ...args: string[]): string =>
  execFileSync('git', [`--git-dir=${gitDir}`, ...args], { encoding: 'utf8' }).trim()

test('the same fixture gives the same commits, wherever it is and whoever makes them', async (t) => {
  const scratch = await scratchDir(t)
  const copy = join(scratch, 'copy')
  await cp(fixture, copy, { recursive: true })
  const first = await createMiniRepository(fixture, join(scratch, 'a.git'), signal)
  const second = await createMiniRepository(copy, join(scratch, 'b.git'), signal)
  t.deepEqual(first, second)
  t.is(git(join(scratch, 'a.git'), 'rev-parse', 'HEAD'), first.main)
  t.is(git(join(scratch, 'a.git'), 'rev-parse', 'x86_uefi'), first.x86Uefi)
  t.is(
    git(join(scratch, 'a.git'), 'log', '--format=%an %cn %at %ct', 'main'),
    'fwbuild fwbuild 1767225600 1767225600',
  )
})

test('a repository with these commits is left alone, one without them is replaced', async (t) => {
  const scratch = await scratchDir(t)
  const copy = join(scratch, 'copy')
  const gitDir = join(scratch, 'mini.git')
  await cp(fixture, copy, { recursive: true })
  const before = await createMiniRepository(copy, gitDir, signal)
  const { ino } = await stat(gitDir)
  await createMiniRepository(copy, gitDir, signal)
  t.is((await stat(gitDir)).ino, ino)

  await writeFile(join(copy, 'main/feeds.conf.default'), '# none\n')
  const after = await createMiniRepository(copy, gitDir, signal)
  t.not(after.main, before.main)
  t.is(git(gitDir, 'rev-parse', 'main'), after.main)
})

test('main has every file with its mode, also those its own .gitignore names', async (t) => {
  const scratch = await scratchDir(t)
  const copy = join(scratch, 'copy')
  const gitDir = join(scratch, 'mini.git')
  await cp(fixture, copy, { recursive: true })
  await writeFile(join(copy, 'main/feeds.conf'), '')
  await createMiniRepository(copy, gitDir, signal)
  const files = git(gitDir, 'ls-tree', '-r', '--format=%(objectmode) %(path)', 'main').split('\n')
  t.true(files.includes('100644 feeds.conf'))
  t.true(files.includes('100755 scripts/feeds'))
  t.true(files.includes('100644 config/Config-kernel.in'))
})

test('EFI images exist on x86_uefi only', async (t) => {
  const scratch = await scratchDir(t)
  const gitDir = join(scratch, 'mini.git')
  const { main, x86Uefi } = await createMiniRepository(fixture, gitDir, signal)
  t.is(git(gitDir, 'rev-parse', `${x86Uefi}^`), main)
  t.deepEqual(git(gitDir, 'diff', '--name-status', main, x86Uefi).split('\n'), [
    'M\tconfig/Config-images.in',
    'A\tpackage/boot/grub2-efi/Makefile',
    'A\tscripts/gen_image_efi.sh',
    'M\ttarget/linux/x86/image/Makefile',
    'A\ttarget/linux/x86/image/efi.mk',
    'A\ttarget/linux/x86/image/grub-efi.cfg',
  ])
  t.notRegex(git(gitDir, 'show', `${main}:config/Config-images.in`), /EFI_IMAGES/)
  t.regex(git(gitDir, 'show', `${x86Uefi}:config/Config-images.in`), /config EFI_IMAGES/)
})

test('an incomplete fixture and a patch that does not apply leave nothing behind', async (t) => {
  const scratch = await scratchDir(t)
  const gitDir = join(scratch, 'mini.git')
  const copy = join(scratch, 'copy')
  const missing = await t.throwsAsync(createMiniRepository(scratch, gitDir, signal), {
    instanceOf: FwbuildError,
  })
  t.is(missing.code, 'E_MINI_TREE')
  await cp(fixture, copy, { recursive: true })
  await writeFile(join(copy, 'main/config/Config-images.in'), '')
  const refused = await t.throwsAsync(createMiniRepository(copy, gitDir, signal), {
    instanceOf: FwbuildError,
  })
  t.is(refused.code, 'E_GIT')
  await t.throwsAsync(stat(gitDir), { code: 'ENOENT' })
})
