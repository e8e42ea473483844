import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import {
  cherryPick,
  commitDate,
  commitFiles,
  keepCommit,
  mergeCommits,
  ownCommits,
  readStoredFile,
  type FileChange,
} from '../../../src/effects/git-objects.ts'
import { commit, git, newRepository } from '../../helpers/git-repository.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

const { signal } = new AbortController()
const text = (content: string): Uint8Array => new TextEncoder().encode(content)
const lines = (...words: string[]): string => `${words.join('\n')}\n`

/** main: base; side: one commit on base; rival: conflicts with what main does next. */
async function bench(t: ExecutionContext) {
  const source = join(await temporaryDirectory(t), 'source')
  newRepository(source)
  const base = commit(source, 'base', {
    f: lines('1', '2', '3', '4', '5', '6', '7', '8'),
    g: 'g\n',
    'd/e': 'e\n',
  })
  git(source, 'checkout', '-q', '-b', 'side')
  const side = commit(source, 'side: first line', { f: lines('one', '2', '3', '4', '5', '6', '7', '8') })
  git(source, 'checkout', '-q', '-b', 'rival', base)
  const rival = commit(source, 'rival: last line', { f: lines('1', '2', '3', '4', '5', '6', '7', 'rival') })
  git(source, 'checkout', '-q', 'main')
  const main = commit(source, 'main: last line', { f: lines('1', '2', '3', '4', '5', '6', '7', 'main') })
  return { source, store: { gitDir: join(source, '.git'), signal }, base, side, rival, main }
}

/** Refs, index and work tree: what a failed or finished operation must not have touched. */
const stateOf = (source: string): string =>
  [git(source, 'for-each-ref'), git(source, 'status', '--porcelain'), git(source, 'rev-parse', 'HEAD')].join(
    '\n',
  )

test('a merge has both parents and both changes, and the same id each time', async (t) => {
  const { source, store, main, side } = await bench(t)
  const before = stateOf(source)
  const outcome = await mergeCommits(store, main, side, 'Merge side')
  t.like(outcome, { status: 'merged', commits: 1 })
  if (outcome.status !== 'merged') return
  t.is(git(source, 'show', `${outcome.commit}:f`), 'one\n2\n3\n4\n5\n6\n7\nmain')
  t.is(
    git(source, 'show', '-s', '--format=%P %an %ae %ct %s', outcome.commit),
    `${main} ${side} fwbuild fwbuild@localhost 1700000000 Merge side`,
  )
  t.deepEqual(await mergeCommits(store, main, side, 'Merge side'), outcome)
  t.is(stateOf(source), before)
})

test('a merge of what is there already is none', async (t) => {
  const { store, main, base } = await bench(t)
  t.deepEqual(await mergeCommits(store, main, base, 'm'), { status: 'up-to-date' })
  t.deepEqual(await mergeCommits(store, main, main, 'm'), { status: 'up-to-date' })
})

test('a conflict names the files and the commits of each side, and changes nothing', async (t) => {
  const { source, store, main, rival } = await bench(t)
  const before = stateOf(source)
  const outcome = await mergeCommits(store, main, rival, 'm')
  t.is(outcome.status, 'conflict')
  if (outcome.status !== 'conflict') return
  t.deepEqual(
    outcome.conflicts.map(({ path, ours, theirs }) => ({
      path,
      ours: ours.map((line) => line.replace(/^\S+ /, '')),
      theirs: theirs.map((line) => line.replace(/^\S+ /, '')),
    })),
    [{ path: 'f', ours: ['main: last line'], theirs: ['rival: last line'] }],
  )
  t.is(stateOf(source), before)
})

test('changed on one side, deleted on the other: a conflict; names with blanks and umlauts are told as they are', async (t) => {
  const { source, store, main } = await bench(t)
  git(source, 'checkout', '-q', '-b', 'names')
  commit(source, 'names', { 'dir/ä b': 'x\n' })
  const ours = commit(source, 'changed', { 'dir/ä b': 'y\n' })
  git(source, 'checkout', '-q', '-b', 'deletes', 'HEAD^')
  git(source, 'rm', '-q', 'dir/ä b')
  git(source, 'commit', '-q', '-m', 'deleted')
  const outcome = await mergeCommits(store, ours, git(source, 'rev-parse', 'HEAD'), 'm')
  t.like(outcome, { status: 'conflict' })
  if (outcome.status === 'conflict')
    t.deepEqual(
      outcome.conflicts.map(({ path }) => path),
      ['dir/ä b'],
    )
  t.truthy(main)
})

test('histories without a common commit are merged or told, not a crash', async (t) => {
  const { source, store, main } = await bench(t)
  git(source, 'checkout', '-q', '--orphan', 'other')
  const other = commit(source, 'other', { h: 'h\n' })
  await t.throwsAsync(mergeCommits(store, main, other, 'm'), { message: /unrelated histories/ })
})

test('cherry-pick: commit by commit with message and origin; own commits are those no trunk has', async (t) => {
  const { source, store, base, side, main } = await bench(t)
  git(source, 'checkout', '-q', 'side')
  const second = commit(source, 'side: another file\n\nwith a body', { new: 'n\n' })
  const { own, brought } = await ownCommits(store, main, second, [])
  t.deepEqual(own, [side, second])
  t.is(brought, 2)
  t.deepEqual((await ownCommits(store, main, second, [side])).own, [second])
  const outcome = await cherryPick(store, main, own)
  t.like(outcome, { status: 'merged', commits: 2 })
  if (outcome.status !== 'merged') return
  t.is(git(source, 'show', `${outcome.commit}:f`), 'one\n2\n3\n4\n5\n6\n7\nmain')
  t.is(git(source, 'show', `${outcome.commit}:new`), 'n')
  t.is(git(source, 'rev-parse', `${outcome.commit}~2`), main)
  t.regex(
    git(source, 'show', '-s', '--format=%B', outcome.commit),
    /^side: another file\n\nwith a body\n+\(cherry picked from commit [0-9a-f]{40}\)$/,
  )
  t.deepEqual(await cherryPick(store, main, own), outcome)
  t.not(base, main)
})

test('cherry-pick: a conflict names the commit that does not fit', async (t) => {
  const { source, store, main, rival } = await bench(t)
  const before = stateOf(source)
  const outcome = await cherryPick(store, main, [rival])
  t.is(outcome.status, 'conflict')
  if (outcome.status === 'conflict') {
    t.deepEqual(
      outcome.conflicts.map(({ path, theirs }) => [path, theirs.map((line) => line.replace(/^\S+ /, ''))]),
      [['f', ['rival: last line']]],
    )
  }
  t.is(stateOf(source), before)
})

const changes: readonly FileChange[] = [
  { path: 'g', content: null, mode: '100644' },
  { path: 'd/new file', content: text('x\r\n\0y'), mode: '100755' },
  { path: 'link', content: text('d/e'), mode: '120000' },
]

test('files become a commit: added, changed, deleted, modes and bytes as given; the same id each time', async (t) => {
  const { source, store, main } = await bench(t)
  const before = stateOf(source)
  const made = await commitFiles(store, main, changes, 'patched')
  t.is(await commitFiles(store, main, changes, 'patched'), made)
  t.not(await commitFiles(store, main, changes, 'another message'), made)
  t.is(git(source, 'diff', '--name-status', main, made), 'A\td/new file\nD\tg\nA\tlink')
  t.like(await readStoredFile(store, made, 'd/new file'), {
    mode: '100755',
    content: Buffer.from('x\r\n\0y'),
  })
  t.like(await readStoredFile(store, made, 'link'), { mode: '120000' })
  t.is(await readStoredFile(store, made, 'g'), undefined)
  t.is(await readStoredFile(store, made, 'd'), undefined)
  t.is(await commitDate(store, made), await commitDate(store, main))
  t.is(stateOf(source), before)
})

test('attributes and line-end settings of the user have no part in a commit', async (t) => {
  const { source, store, main } = await bench(t)
  const plain = await commitFiles(store, main, changes, 'm')
  git(source, 'config', 'core.autocrlf', 'input')
  mkdirSync(join(source, '.git/info'), { recursive: true })
  writeFileSync(join(source, '.git/info/attributes'), '* text=auto\n')
  t.is(await commitFiles(store, main, changes, 'm'), plain)
})

test('a kept commit survives git gc', async (t) => {
  const { source, store, main } = await bench(t)
  const made = await commitFiles(store, main, changes, 'm')
  await keepCommit(store, `kept/${made}`, made)
  git(source, 'gc', '-q', '--prune=now')
  t.is(git(source, 'cat-file', '-t', made), 'commit')
})
