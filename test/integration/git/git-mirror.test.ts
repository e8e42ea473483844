import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import {
  borrowedObjects,
  borrowOnlyFrom,
  fetchSource,
  resolveSource,
  type MirrorOptions,
} from '../../../src/effects/git-mirror.ts'
import { commitFiles, readStoredFile } from '../../../src/effects/git-objects.ts'
import { checkOut } from '../../../src/effects/git-worktree.ts'
import { commit, git, newRepository } from '../../helpers/git-repository.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

const { signal } = new AbortController()

async function bench(t: ExecutionContext) {
  const home = await temporaryDirectory(t)
  const source = join(home, 'source')
  newRepository(source)
  const first = commit(source, 'first', { 'a.txt': 'one\n', 'big/blob.bin': 'big\n', 'script.sh': 'x\n' })
  const mirror = (more: Partial<MirrorOptions> = {}): MirrorOptions => ({
    gitDir: join(home, 'git'),
    signal,
    offline: false,
    ...more,
  })
  return { home, source, first, mirror }
}

test('a path: branches, tags, short and full commit ids are resolved', async (t) => {
  const { source, first, mirror } = await bench(t)
  git(source, 'tag', '-a', '-m', 'tag', 'v1')
  const second = commit(source, 'second', { 'a.txt': 'two\n' })
  const resolve = async (ref: string) => (await resolveSource(source, ref, mirror())).commit
  t.is(await resolve('main'), second)
  t.is(await resolve('HEAD'), second)
  t.is(await resolve('v1'), first)
  t.is(await resolve(first), first)
  t.is(await resolve(first.slice(0, 10)), first)
  await t.throwsAsync(resolve('none'), { code: 'E_REF_UNKNOWN' })
  await t.throwsAsync(resolve('--help'), { code: 'E_REF_UNKNOWN' })
})

test('a branch that only the origin of a clone has is found there', async (t) => {
  const { home, source, first, mirror } = await bench(t)
  git(source, 'branch', 'feature')
  git(home, 'clone', '-q', source, 'clone')
  t.is((await resolveSource(join(home, 'clone'), 'feature', mirror())).commit, first)
})

test('uncommitted changes are not built, and that is said', async (t) => {
  const { source, mirror } = await bench(t)
  t.deepEqual((await resolveSource(source, 'main', mirror())).notes, [])
  await writeFile(join(source, 'untracked'), '')
  t.deepEqual((await resolveSource(source, 'main', mirror())).notes, [])
  await writeFile(join(source, 'a.txt'), 'dirty\n')
  t.regex(
    (await resolveSource(source, 'main', mirror())).notes.join(),
    /uncommitted changes .* are not built/,
  )
})

test('a URL: fetched with its history; known offline afterwards; a branch that moved is fetched again', async (t) => {
  const { source, first, mirror } = await bench(t)
  const url = `file://${source}`
  await t.throwsAsync(resolveSource(url, 'main', mirror({ offline: true })), { code: 'E_SOURCE_UNREACHABLE' })
  t.deepEqual(await fetchSource(await resolveSource(url, 'main', mirror()), mirror()), [])
  t.is((await resolveSource(url, 'main', mirror({ offline: true }))).commit, first)
  const second = commit(source, 'second', { 'a.txt': 'two\n' })
  const moved = await resolveSource(url, 'main', mirror())
  t.is(moved.commit, second)
  await fetchSource(moved, mirror())
  t.is(git(mirror().gitDir, 'rev-list', '--count', second), '2')
  await t.throwsAsync(resolveSource(url, 'none', mirror()), { code: 'E_REF_UNKNOWN' })
})

test('a URL: an annotated tag means its commit', async (t) => {
  const { source, first, mirror } = await bench(t)
  git(source, 'tag', '-a', '-m', 'tag', 'v1')
  const resolved = await resolveSource(`file://${source}`, 'v1', mirror())
  t.is(resolved.commit, first)
  await fetchSource(resolved, mirror())
  t.is(git(mirror().gitDir, 'cat-file', '-t', first), 'commit')
})

test('a source that went away is built from what was fetched before, with a note', async (t) => {
  const { source, first, mirror } = await bench(t)
  const url = `file://${source}`
  await fetchSource(await resolveSource(url, 'main', mirror()), mirror())
  await rm(source, { recursive: true })
  const resolved = await resolveSource(url, 'main', mirror())
  t.is(resolved.commit, first)
  t.regex(resolved.notes.join(), /could not be reached; using [0-9a-f]{10}, fetched earlier/)
})

test('a commit id of a URL is fetched by itself', async (t) => {
  const { source, first, mirror } = await bench(t)
  commit(source, 'second', { 'a.txt': 'two\n' })
  const url = `file://${source}`
  await fetchSource(await resolveSource(url, first, mirror()), mirror())
  t.is(git(mirror().gitDir, 'cat-file', '-t', first), 'commit')
  const unknown = 'f'.repeat(40)
  await t.throwsAsync(fetchSource(await resolveSource(url, unknown, mirror()), mirror()), {
    code: 'E_SOURCE_UNREACHABLE',
  })
})

test('an aborted fetch leaves a mirror that works', async (t) => {
  const { source, first, mirror } = await bench(t)
  await t.throwsAsync(resolveSource(`file://${source}`, 'main', mirror({ signal: AbortSignal.abort() })))
  const resolved = await resolveSource(`file://${source}`, 'main', mirror())
  await fetchSource(resolved, mirror())
  t.is(git(mirror().gitDir, 'cat-file', '-t', first), 'commit')
})

/** A clone that has lost one blob, as a partial clone whose origin is out of reach. */
async function partialClone(home: string, source: string): Promise<{ clone: string; blob: string }> {
  const clone = join(home, 'partial')
  git(home, 'clone', '-q', source, clone)
  const blob = git(clone, 'rev-parse', 'HEAD:big/blob.bin')
  await rm(join(clone, '.git/objects', blob.slice(0, 2), blob.slice(2)))
  return { clone, blob }
}

test('an incomplete clone is borrowed from; the missing file is left out of the work tree, sparsely', async (t) => {
  const { home, source, first, mirror } = await bench(t)
  const { clone, blob } = await partialClone(home, source)
  t.throws(() => git(clone, 'cat-file', '-e', blob), undefined, 'the blob is gone')
  const resolved = await resolveSource(clone, 'main', mirror())
  const notes = await fetchSource(resolved, mirror())
  t.regex(notes.join(), /is an incomplete clone; its objects are used in place/)
  t.deepEqual(await borrowedObjects(mirror().gitDir), [join(clone, '.git/objects')])
  t.is(new TextDecoder().decode((await readStoredFile(mirror(), first, 'a.txt'))?.content), 'one\n')

  // A patch on top of such a tree, checked out.
  const content = new TextEncoder().encode('patched\n')
  const patched = await commitFiles(mirror(), first, [{ path: 'a.txt', content, mode: '100644' }], 'patch')
  const tree = join(home, 'tree')
  const user = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  const worktree = { gitDir: mirror().gitDir, path: tree, user, signal }
  t.deepEqual(await checkOut(worktree, patched), ['big/blob.bin'])
  t.true(existsSync(join(tree, 'a.txt')))
  t.false(existsSync(join(tree, 'big/blob.bin')))
  t.is(git(tree, 'status', '--porcelain'), '')

  await borrowOnlyFrom([clone], mirror())
  t.deepEqual(await borrowedObjects(mirror().gitDir), [join(clone, '.git/objects')])

  // When the blob turns up, the whole tree is there again.
  git(mirror().gitDir, 'hash-object', '-w', join(source, 'big/blob.bin'))
  t.deepEqual(await checkOut(worktree, patched), [])
  t.true(existsSync(join(tree, 'big/blob.bin')))

  // Another build's containers do not see this one's clone.
  await borrowOnlyFrom([source], mirror())
  t.deepEqual(await borrowedObjects(mirror().gitDir), [])
  t.regex((await fetchSource(resolved, mirror())).join(), /used in place/)
})
