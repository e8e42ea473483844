import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import {
  atomicWrite,
  freeDiskBytes,
  removeTree,
  replaceFile,
  sha256File,
} from '../../../src/effects/files.ts'

let directory = ''
test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fwbuild-files-'))
})
test.after.always(() => rm(directory, { recursive: true, force: true }))

test('a file is written whole, with its parents, and nothing beside it', async (t) => {
  const path = join(directory, 'a/b/file')
  await atomicWrite(path, 'old')
  await atomicWrite(path, 'new')
  t.is(await readFile(path, 'utf8'), 'new')
  t.deepEqual(await readdir(join(directory, 'a/b')), ['file'])
})

test('a failing producer leaves the old file and no temporary', async (t) => {
  const path = join(directory, 'kept/file')
  await atomicWrite(path, 'old')
  const failing = replaceFile(path, async (temporary) => {
    await writeFile(temporary, 'half')
    throw new Error('stop')
  })
  await t.throwsAsync(failing, { message: 'stop' })
  t.is(await readFile(path, 'utf8'), 'old')
  t.deepEqual(await readdir(join(directory, 'kept')), ['file'])
})

test('a full disk is told as such', async (t) => {
  const failing = replaceFile(join(directory, 'full'), (temporary) =>
    Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', path: temporary })),
  )
  const error = await t.throwsAsync(failing, { instanceOf: FwbuildError })
  t.is(error.code, 'E_DISK_FULL')
  t.is(error.exitCode, 3)
})

test('a path through a file is an infra error, not a bug', async (t) => {
  await atomicWrite(join(directory, 'plain'), '')
  const error = await t.throwsAsync(atomicWrite(join(directory, 'plain/x'), ''), { instanceOf: FwbuildError })
  t.is(error.code, 'E_FILE_WRITE')
})

test('sha256 of a file, and abort', async (t) => {
  const path = join(directory, 'big')
  const content = Buffer.alloc(3 << 20, 'fwbuild')
  await writeFile(path, content)
  t.is(await sha256File(path), createHash('sha256').update(content).digest('hex'))
  await t.throwsAsync(sha256File(path, { signal: AbortSignal.abort() }), { message: 'interrupted' })
})

test('free space is asked of the nearest existing parent', async (t) => {
  t.true((await freeDiskBytes(join(directory, 'not/yet/there'))) > 0)
})

test('a tree with read-only directories is removed; an absent one is fine', async (t) => {
  const tree = join(directory, 'tree')
  await mkdir(join(tree, 'sub'), { recursive: true })
  await writeFile(join(tree, 'sub/file'), '')
  await chmod(join(tree, 'sub'), 0o555)
  await removeTree(tree)
  await removeTree(tree)
  t.false((await readdir(directory)).includes('tree'))
})
