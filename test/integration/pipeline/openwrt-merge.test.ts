import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { fakeBuild, type FakeBuild } from '../../helpers/fake-openwrt.ts'
import { commit, git } from '../../helpers/git-repository.ts'

/** The fake tree with a branch that adds one file, and one that changes what main changes too. */
async function withBranches(t: ExecutionContext): Promise<FakeBuild> {
  const fake = await fakeBuild(t)
  git(fake.source, 'checkout', '-q', '-b', 'extra')
  commit(fake.source, 'extra: a file', { 'extra-file': 'x\n' })
  git(fake.source, 'checkout', '-q', '-b', 'rival', 'main')
  commit(fake.source, 'rival: printk off', {
    'target/linux/generic/config-5.10': '# CONFIG_PRINTK is not set\n',
  })
  git(fake.source, 'checkout', '-q', 'main')
  commit(fake.source, 'main: printk is a module', { 'target/linux/generic/config-5.10': 'CONFIG_PRINTK=m\n' })
  return fake
}

test('a branch is merged for real, and the merge is the same commit each time', async (t) => {
  const fake = await withBranches(t)
  const merge = ['--merge', `${fake.source}#extra`, '--until', 'patch']
  const result = await fake.build(merge)
  t.is(result.exitCode, 0, result.stderr)
  t.regex(result.stderr, /Merge branches done .*: extra: merge/)
  t.true(existsSync(join(fake.tree, 'extra-file')))
  const head = git(fake.tree, 'rev-parse', 'HEAD')
  t.deepEqual(git(fake.tree, 'show', '-s', '--format=%P', 'HEAD').split(' '), [
    git(fake.source, 'rev-parse', 'main'),
    git(fake.source, 'rev-parse', 'extra'),
  ])
  t.is((await fake.run('clean', ['--release', '22.03'])).exitCode, 2, 'clean has no --engine')
  t.is((await fake.build(['--until', 'patch'])).exitCode, 0)
  t.false(existsSync(join(fake.tree, 'extra-file')))
  t.is((await fake.build(merge)).exitCode, 0)
  t.is(git(fake.tree, 'rev-parse', 'HEAD'), head)
})

test('a conflict lists the files with both sides’ commits, exit 1, and the tree is as it was', async (t) => {
  const fake = await withBranches(t)
  t.is((await fake.build(['--until', 'patch'])).exitCode, 0)
  const before = git(fake.tree, 'rev-parse', 'HEAD')
  const result = await fake.build(['--merge', `${fake.source}#rival`])
  t.is(result.exitCode, 1, result.stderr)
  t.regex(
    result.stderr,
    /merging rival into OpenWrt 22\.03 conflicts in 1 file \[E_MERGE_CONFLICT\]:\n {2}target\/linux\/generic\/config-5\.10/,
  )
  t.regex(
    result.stderr,
    /ours:\n +[0-9a-f]+ main: printk is a module\n +theirs:\n +[0-9a-f]+ rival: printk off/,
  )
  t.regex(result.stderr, /\[E_MERGE_CONFLICT\]/)
  t.is(git(fake.tree, 'rev-parse', 'HEAD'), before)
  t.is(git(fake.tree, 'status', '--porcelain'), '')
  t.is(await readFile(join(fake.tree, 'target/linux/generic/config-5.10'), 'utf8'), 'CONFIG_PRINTK=m\n')
})

test('EFI is upstream from 21.02: x86_uefi is not merged, and that is said', async (t) => {
  const fake = await withBranches(t)
  git(fake.source, 'branch', 'x86_uefi', 'rival')
  const result = await fake.build(['--merge', `${fake.source}#x86_uefi`, '--until', 'merge'])
  t.is(result.exitCode, 0, result.stderr)
  t.regex(result.stderr, /OpenWrt 22\.03 has EFI images upstream: x86_uefi is not merged/)
})

test('a branch that is in the tree already, and one that does not exist', async (t) => {
  const fake = await withBranches(t)
  const there = await fake.build(['--merge', `${fake.source}#main`, '--until', 'merge'])
  t.is(there.exitCode, 0, there.stderr)
  t.regex(there.stderr, /main: up-to-date/)
  const none = await fake.build(['--merge', `${fake.source}#none`, '--until', 'merge'])
  t.is(none.exitCode, 2, none.stderr)
  t.regex(
    none.stderr,
    /no branch, tag or commit ‘none’ \[E_REF_UNKNOWN\]\n +its branches: extra, main, rival/,
  )
})
