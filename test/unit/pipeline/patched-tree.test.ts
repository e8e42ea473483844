import { mkdirSync, readFileSync, statSync, writeFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { FileState } from '../../../src/core/patch/file-state.ts'
import { patchedTree } from '../../../src/pipeline/host-kernel/patched-tree.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

const file = (text: string): FileState => ({ kind: 'file', mode: 0o100644, bytes: Buffer.from(text) })

async function newTree(t: ExecutionContext) {
  const root = await temporaryDirectory(t)
  const src = join(root, 'src')
  mkdirSync(join(src, 'drivers'), { recursive: true })
  writeFileSync(join(src, 'drivers/a.c'), 'a\n')
  writeFileSync(join(src, 'drivers/b.c'), 'b\n')
  const places = { pristine: join(root, 'pristine'), src }
  const read = (path: string): string => readFileSync(join(src, path), 'utf8')
  return { places, src, read }
}

test('changes are always made to what was unpacked', async (t) => {
  const { places, read } = await newTree(t)
  await patchedTree(places).write(new Map([['drivers/a.c', file('a1\n')]]))
  t.is(read('drivers/a.c'), 'a1\n')
  const tree = patchedTree(places)
  t.is(Buffer.from(tree.pristine('drivers/a.c')?.bytes ?? []).toString(), 'a\n')
  await tree.write(new Map([['drivers/b.c', file('b1\n')]]))
  t.is(read('drivers/a.c'), 'a\n', 'a file that no patch changes any more is as it was')
  t.is(read('drivers/b.c'), 'b1\n')
})

test('what is as it should be is not written, so that make sees no change', async (t) => {
  const { places, src } = await newTree(t)
  const changes = new Map([['drivers/a.c', file('a1\n')]])
  await patchedTree(places).write(changes)
  const before = statSync(join(src, 'drivers/a.c')).mtimeMs
  await patchedTree(places).write(changes)
  t.is(statSync(join(src, 'drivers/a.c')).mtimeMs, before)
})

test('new and deleted files, and back', async (t) => {
  const { places, src } = await newTree(t)
  await patchedTree(places).write(
    new Map<string, FileState | undefined>([
      ['drivers/new.c', file('n\n')],
      ['drivers/b.c', undefined],
    ]),
  )
  t.true(existsSync(join(src, 'drivers/new.c')))
  t.false(existsSync(join(src, 'drivers/b.c')))
  t.is(patchedTree(places).pristine('drivers/new.c'), undefined)
  t.is(patchedTree(places).digests()['drivers/b.c'], null)
  await patchedTree(places).write(new Map())
  t.false(existsSync(join(src, 'drivers/new.c')))
  t.is(readFileSync(join(src, 'drivers/b.c'), 'utf8'), 'b\n')
})

test('a run that was killed after the copies were kept starts again from the unpacked tree', async (t) => {
  const { places, src, read } = await newTree(t)
  await patchedTree(places).write(new Map([['drivers/a.c', file('a1\n')]]))
  // As if killed half-way through a second series.
  writeFileSync(join(src, 'drivers/a.c'), 'half\n')
  await patchedTree(places).write(new Map([['drivers/a.c', file('a2\n')]]))
  t.is(read('drivers/a.c'), 'a2\n')
  t.is(Buffer.from(patchedTree(places).pristine('drivers/a.c')?.bytes ?? []).toString(), 'a\n')
})
