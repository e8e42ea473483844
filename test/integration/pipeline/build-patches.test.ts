import { spawnSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { fakeKernelBuild } from '../../helpers/fake-kernel.ts'
import { fakeBuild } from '../../helpers/fake-openwrt.ts'
import { commit, git } from '../../helpers/git-repository.ts'
import { numbered } from '../../helpers/patch.ts'

const create = (name: string, line: string, prefix = 'b/'): string =>
  `--- /dev/null\n+++ ${prefix}${name}\n@@ -0,0 +1 @@\n+${line}\n`
const remove = (name: string, line: string): string =>
  `--- a/${name}\n+++ /dev/null\n@@ -1 +0,0 @@\n-${line}\n`

test('openwrt --patch takes a folder, a quilt series with -p and -R, and an encoded mail, as the patch commands do', async (t) => {
  const fake = await fakeBuild(t)
  const folder = join(fake.home, 'patches')
  await mkdir(folder)
  await writeFile(join(folder, '1.patch'), create('one', 'from the folder'))
  const series = join(fake.home, 'quilt')
  await mkdir(series)
  await writeFile(join(series, 'plain.patch'), create('dir/two', 'without a prefix', ''))
  await writeFile(join(series, 'undone.patch'), remove('three', 'undone'))
  await writeFile(join(series, 'series'), 'plain.patch -p0\nundone.patch -R\n')
  const mail = join(fake.home, 'fix.eml')
  const body = Buffer.from(`Why.\n---\n${create('four', 'a = b')}`).toString('base64')
  await writeFile(
    mail,
    `From: T <t@example.org>\nSubject: [PATCH] mail\nContent-Transfer-Encoding: base64\n\n${body}\n`,
  )
  const args = ['--patch', folder, '--patch', join(series, 'series'), '--patch', mail, '--until', 'patch']
  const built = await fake.build(args)
  t.is(built.exitCode, 0, built.stderr)
  for (const [name, text] of [
    ['one', 'from the folder\n'],
    ['dir/two', 'without a prefix\n'],
    ['three', 'undone\n'],
    ['four', 'a = b\n'],
  ] as const) {
    t.is(await readFile(join(fake.tree, name), 'utf8'), text)
  }
  t.regex((await fake.build(args)).stderr, /Patch and check out cached/)
})

test('a FIFO is no patch of a build', async (t) => {
  const fake = await fakeBuild(t)
  t.is(spawnSync('mkfifo', [join(fake.home, 'x.patch')]).status, 0)
  const result = await fake.build(['--patch', 'x.patch', '--until', 'patch'])
  t.is(result.exitCode, 2)
  t.regex(result.stderr, /x\.patch can be no patch: it is no regular file \[E_PATCH_MISSING\]/)
})

test('openwrt places by the file that a patch was made for, which the repository has; a note names the line', async (t) => {
  const fake = await fakeBuild(t)
  const block = '\tmode(a);\n\tstep(1);\n\tstep(2);\n\tstep(3);\n\tdone(a);\n'
  const base = numbered(1, 20) + block + numbered(21, 40)
  commit(fake.source, 'base', { 'three.c': base })
  const blob = git(fake.source, 'rev-parse', 'HEAD:three.c').trim()
  const drift = numbered(70, 77) + numbered(50, 60) + block + numbered(61, 69) + base + block
  commit(fake.source, 'drift', { 'three.c': drift })
  await writeFile(
    join(fake.home, 'three.patch'),
    `diff --git a/three.c b/three.c\nindex ${blob.slice(0, 12)}..89abcdef0123 100644\n--- a/three.c\n+++ b/three.c\n@@ -22,3 +22,4 @@\n \tstep(1);\n \tstep(2);\n+\tadded(2);\n \tstep(3);\n`,
  )
  await writeFile(
    join(fake.home, 'far.patch'),
    '--- a/three.c\n+++ b/three.c\n@@ -700,3 +700,3 @@\n statement_9(device);\n-statement_10(device);\n+changed(device);\n statement_11(device);\n',
  )
  const built = await fake.build(['--patch', 'three.patch', '--patch', 'far.patch', '--until', 'patch'])
  t.is(built.exitCode, 0, built.stderr)
  const text = await readFile(join(fake.tree, 'three.c'), 'utf8')
  t.regex(text, /statement_20.*\n(\t.*\n){3}\tadded\(2\);\n(\t.*\n){2}statement_21/)
  t.regex(built.stderr, /far\.patch: line \d+/)
  t.notRegex(built.stderr, /offset|-6\d\d/)
})

test('host-kernel --skip-docs leaves out documentation that does not fit, with a warning; the refusal offers it', async (t) => {
  const fake = await fakeKernelBuild(t)
  const patch = await fake.patch('docs.patch', 'static const int first = 1;', 'static const int first = 11;')
  const code = await readFile(patch, 'utf8')
  await writeFile(
    patch,
    `${code}--- a/Documentation/gone.rst\n+++ b/Documentation/gone.rst\n@@ -1,2 +1,3 @@\n one\n+added\n two\n`,
  )
  const refused = await fake.build(['--patch', patch, '--until', 'patch'])
  t.is(refused.exitCode, 1)
  t.regex(refused.stderr, /the code is whole: --skip-docs leaves the documentation out/)
  const built = await fake.build(['--patch', patch, '--skip-docs', '--until', 'patch'])
  t.is(built.exitCode, 0, built.stderr)
  t.regex(built.stderr, /docs\.patch: Documentation\/gone\.rst is left out: there is no such file/)
  t.regex(await readFile(join(fake.tree, 'drivers/pci/quirks.c'), 'utf8'), /first = 11;/)
})

test('host-kernel --acs=always: an override that spares no device with ACS is told, not left in silence', async (t) => {
  const fake = await fakeKernelBuild(t)
  const patch = join(fake.home, 'acs.patch')
  await writeFile(patch, create('drivers/pci/acs.c', 'early_param("pcie_acs_override", first);'))
  const built = await fake.build(['--patch', patch, '--acs=always', '--until', 'patch'])
  t.is(built.exitCode, 0, built.stderr)
  t.regex(built.stderr, /acs\.patch: spares no device that has ACS, so --acs=always leaves it as it is/)
})
