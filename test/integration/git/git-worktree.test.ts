import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { checkOut, worktreeIsAt } from '../../../src/effects/git-worktree.ts'
import { commit, git, newRepository } from '../../helpers/git-repository.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

async function bench(t: ExecutionContext) {
  const home = await temporaryDirectory(t)
  const source = join(home, 'source')
  newRepository(source)
  const first = commit(source, 'first', { '.gitignore': '/build_dir\n*.o\n', a: '1\n', 'only-first': 'x\n' })
  git(source, 'rm', '-q', 'only-first')
  const second = commit(source, 'second', { a: '2\n' })
  const worktree = {
    gitDir: join(source, '.git'),
    path: join(home, 'trees/x'),
    user: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    signal: new AbortController().signal,
  }
  return { home, source, first, second, worktree }
}

const read = (worktree: { path: string }, name: string): Promise<string> =>
  readFile(join(worktree.path, name), 'utf8')

test('a commit is checked out, and known to be there until a tracked file changes', async (t) => {
  const { first, second, worktree } = await bench(t)
  t.false(await worktreeIsAt(worktree, first))
  t.deepEqual(await checkOut(worktree, first), [])
  t.is(await read(worktree, 'a'), '1\n')
  t.true(await worktreeIsAt(worktree, first))
  t.false(await worktreeIsAt(worktree, second))
  await writeFile(join(worktree.path, 'a'), 'mine\n')
  t.false(await worktreeIsAt(worktree, first))
})

test('going to another commit: ignored files stay, changes and other untracked files go', async (t) => {
  const { first, second, worktree } = await bench(t)
  await checkOut(worktree, first)
  await mkdir(join(worktree.path, 'build_dir/deep'), { recursive: true })
  await writeFile(join(worktree.path, 'build_dir/deep/kernel'), 'built')
  await writeFile(join(worktree.path, 'x.o'), 'object')
  await writeFile(join(worktree.path, 'a'), 'mine\n')
  await mkdir(join(worktree.path, 'stray'))
  await writeFile(join(worktree.path, 'stray/file'), '')
  await checkOut(worktree, second)
  t.true(await worktreeIsAt(worktree, second))
  t.is(await read(worktree, 'a'), '2\n')
  t.is(await read(worktree, 'build_dir/deep/kernel'), 'built')
  t.is(await read(worktree, 'x.o'), 'object')
  t.false(existsSync(join(worktree.path, 'stray')))
  t.false(existsSync(join(worktree.path, 'only-first')))
})

test('files that did not change keep their times, so that make does not build them again', async (t) => {
  const { source, first, worktree } = await bench(t)
  await checkOut(worktree, first)
  const { mtimeMs } = await stat(join(worktree.path, '.gitignore'))
  const third = commit(source, 'third', { b: 'b\n' })
  await checkOut(worktree, third)
  t.is((await stat(join(worktree.path, '.gitignore'))).mtimeMs, mtimeMs)
})

test('a work tree that was removed, is half made, or is no work tree is made anew', async (t) => {
  const { first, worktree } = await bench(t)
  await checkOut(worktree, first)
  await rm(worktree.path, { recursive: true })
  await checkOut(worktree, first)
  t.true(await worktreeIsAt(worktree, first))

  await rm(join(worktree.path, '.git'))
  await checkOut(worktree, first)
  t.true(await worktreeIsAt(worktree, first))

  await rm(worktree.path, { recursive: true })
  await mkdir(worktree.path)
  await writeFile(join(worktree.path, 'left-over'), '')
  await checkOut(worktree, first)
  t.true(await worktreeIsAt(worktree, first))
  t.false(existsSync(join(worktree.path, 'left-over')))
})

test('a checkout that was killed leaves a lock that the next one gets past', async (t) => {
  const { source, first, second, worktree } = await bench(t)
  await checkOut(worktree, first)
  await writeFile(join(source, '.git/worktrees/x/index.lock'), '')
  await checkOut(worktree, second)
  t.true(await worktreeIsAt(worktree, second))
})

test('a work tree below another repository is not taken for that one', async (t) => {
  const { home, first, worktree } = await bench(t)
  newRepository(home)
  await mkdir(worktree.path, { recursive: true })
  await checkOut(worktree, first)
  t.true(await worktreeIsAt(worktree, first))
  t.is(git(worktree.path, 'rev-parse', '--show-toplevel'), worktree.path)
})
