import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { giveBeneath } from '../../../src/effects/beneath/give.ts'
import {
  isFileBeneath,
  kindBeneath,
  listBeneath,
  readBeneath,
  streamBeneath,
} from '../../../src/effects/beneath/read.ts'
import { removeBeneath } from '../../../src/effects/beneath/remove.ts'
import { makeFolderBeneath, renameBeneath, writeBeneath } from '../../../src/effects/beneath/write.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

const enough = 1 << 20
const isRoot = process.getuid?.() === 0
const builder = { uid: 61_000, gid: 61_000 }

/** A folder that others write to, and beside it one that nothing may reach. */
async function places(t: ExecutionContext): Promise<{ readonly tree: string; readonly outside: string }> {
  const top = await temporaryDirectory(t)
  const [tree, outside] = [join(top, 'tree'), join(top, 'outside')]
  for (const folder of [tree, outside, join(outside, 'folder')]) mkdirSync(folder)
  writeFileSync(join(outside, 'secret'), 'secret', { mode: 0o600 })
  writeFileSync(join(outside, 'folder/kept'), 'kept')
  return { tree, outside }
}

/** Names, kinds, modes, owners and contents below a folder. */
function listing(folder: string): readonly string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).sort().map((name) => {
    const { mode, uid, gid } = lstatSync(join(folder, name))
    const content = statSync(join(folder, name)).isFile() ? readFileSync(join(folder, name), 'utf8') : ''
    return `${name} ${mode.toString(8)} ${uid}:${gid} ${content}`
  })
}

const unsafe = { code: 'E_UNSAFE_PATH' }

test('files are written, read, listed, moved and removed', async (t) => {
  const { tree } = await places(t)
  writeBeneath(tree, 'a/b/file', 'old')
  writeBeneath(tree, 'a/b/file', 'new', { mode: 0o600 })
  t.is(readBeneath(tree, 'a/b/file', enough)?.toString(), 'new')
  t.is(lstatSync(join(tree, 'a/b/file')).mode & 0o777, 0o600)
  t.deepEqual(listBeneath(tree, 'a/b'), [{ name: 'file', kind: 'file' }])
  t.is(await text(streamBeneath(tree, 'a/b/file')), 'new')
  t.true(renameBeneath(tree, 'a/b/file', 'a/moved'))
  t.false(renameBeneath(tree, 'a/b/file', 'a/moved'))
  t.true(isFileBeneath(tree, 'a/moved'))
  await removeBeneath(tree, 'a')
  t.is(kindBeneath(tree, 'a'), undefined)
  t.is(readBeneath(tree, 'a/moved', enough), undefined)
  t.deepEqual(listBeneath(tree, 'a'), [])
  await removeBeneath(tree, 'a')
})

test('a link at any part of a path is refused, and nothing behind it is touched', async (t) => {
  const { tree, outside } = await places(t)
  const before = listing(outside)
  symlinkSync(outside, join(tree, 'env'))
  symlinkSync(join(outside, 'secret'), join(tree, 'config'))
  t.throws(() => readBeneath(tree, 'config', enough), unsafe)
  t.throws(() => readBeneath(tree, 'env/secret', enough), unsafe)
  t.throws(() => streamBeneath(tree, 'env/secret'), unsafe)
  t.throws(() => listBeneath(tree, 'env'), unsafe)
  t.throws(() => listBeneath(tree, 'env/folder'), unsafe)
  t.throws(() => writeBeneath(tree, 'env/new', 'x', { owner: builder }), unsafe)
  t.throws(() => makeFolderBeneath(tree, 'env', { owner: builder }), unsafe)
  t.throws(() => makeFolderBeneath(tree, 'env/new', { owner: builder }), unsafe)
  t.throws(() => renameBeneath(tree, 'env/secret', 'got'), unsafe)
  t.throws(() => renameBeneath(tree, 'config', 'env/config'), unsafe)
  await t.throwsAsync(removeBeneath(tree, 'env/folder'), unsafe)
  t.is(kindBeneath(tree, 'env/secret'), undefined)
  t.is(kindBeneath(tree, 'env'), 'link')
  // A last part that is a link is replaced or removed itself.
  writeBeneath(tree, 'config', 'own')
  t.is(readBeneath(tree, 'config', enough)?.toString(), 'own')
  await giveBeneath(tree, '', builder)
  await removeBeneath(tree, 'env')
  t.false(existsSync(join(tree, 'env')))
  t.deepEqual(listing(outside), before)
})

test('a FIFO, a device or a folder is never opened as a file', async (t) => {
  const { tree } = await places(t)
  execFileSync('mkfifo', [join(tree, 'fifo')])
  mkdirSync(join(tree, 'folder'))
  symlinkSync('/dev/zero', join(tree, 'zero'))
  for (const name of ['fifo', 'folder', 'zero']) {
    t.throws(() => readBeneath(tree, name, enough), unsafe)
    t.throws(() => streamBeneath(tree, name), unsafe)
  }
  t.throws(() => listBeneath(tree, 'fifo'), unsafe)
  t.throws(() => writeBeneath(tree, 'fifo/x', ''), unsafe)
  await removeBeneath(tree, 'fifo')
  t.false(existsSync(join(tree, 'fifo')))
})

test('more bytes than a caller can use are not read', async (t) => {
  const { tree } = await places(t)
  writeFileSync(join(tree, 'large'), Buffer.alloc(2000))
  t.throws(() => readBeneath(tree, 'large', 1999), { code: 'E_FILE_TOO_LARGE' })
})

test('paths that leave the folder are a bug of the caller', async (t) => {
  const { tree } = await places(t)
  for (const path of ['../outside/secret', '/etc/passwd', 'a/../../outside', 'a\0b']) {
    t.throws(() => readBeneath(tree, path, enough), { instanceOf: TypeError })
    t.throws(() => writeBeneath(tree, path, ''), { instanceOf: TypeError })
  }
})

test('removing: links are not followed, closed folders, odd names and depth are no hindrance', async (t) => {
  const { tree, outside } = await places(t)
  const before = listing(outside)
  mkdirSync(join(tree, 'victim/closed/inner'), { recursive: true })
  symlinkSync(outside, join(tree, 'victim/link'))
  symlinkSync(outside, join(tree, 'victim/closed/inner/link'))
  writeFileSync(Buffer.concat([Buffer.from(join(tree, 'victim/')), Buffer.from([0xff, 0xfe])]), '')
  chmodSync(join(tree, 'victim/closed'), 0o000)
  const deep = 'import os\nfor _ in range(1200):\n  os.mkdir("d"); os.chdir("d")\n'
  execFileSync('python3', ['-c', deep], { cwd: join(tree, 'victim') })
  await removeBeneath(tree, 'victim')
  t.deepEqual(readdirSync(tree), [])
  t.deepEqual(listing(outside), before)
})

const asRoot = isRoot ? test : test.skip

asRoot('giving away: only what is root’s, links themselves, and no file with a second name', async (t) => {
  const { tree, outside } = await places(t)
  const before = listing(outside)
  mkdirSync(join(tree, 'a/b'), { recursive: true })
  for (const name of ['a/b/own', 'a/b/other', 'a/b/shared']) writeFileSync(join(tree, name), '')
  chownSync(join(tree, 'a/b/other'), 1234, 1234)
  linkSync(join(tree, 'a/b/shared'), join(outside, '../second-name'))
  symlinkSync(outside, join(tree, 'a/link'))
  await giveBeneath(tree, 'a', builder)
  const owner = (name: string): number => lstatSync(join(tree, name)).uid
  t.deepEqual(
    ['a', 'a/b', 'a/b/own', 'a/link', 'a/b/other', 'a/b/shared'].map(owner),
    [61_000, 61_000, 61_000, 61_000, 1234, 0],
  )
  t.deepEqual(listing(outside), before)
})

test('giving away stops at its signal and at a depth that no real tree has', async (t) => {
  const { tree } = await places(t)
  const deep = 'import os\nfor _ in range(1100):\n  os.mkdir("d"); os.chdir("d")\n'
  execFileSync('python3', ['-c', deep], { cwd: tree })
  if (isRoot) await t.throwsAsync(giveBeneath(tree, '', builder), { code: 'E_TOO_DEEP' })
  else await t.notThrowsAsync(giveBeneath(tree, '', builder))
  if (isRoot)
    await t.throwsAsync(giveBeneath(tree, '', builder, AbortSignal.abort()), { code: 'E_CANCELLED' })
  await removeBeneath(tree, 'd')
})
