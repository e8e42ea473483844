import { spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { changeTree } from '../../../src/effects/tree-change/change.ts'
import { cli } from '../../helpers/cli.ts'
import { contentOf, fwbuild, killedApply, seriesOf } from '../../helpers/killed-apply.ts'
import { fileState, writeTree } from '../../helpers/patch.ts'
import { temporaryFolders } from '../../helpers/temporary.ts'

const folder = temporaryFolders()
const fine = '--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n'

function smallTree(): string {
  const tree = folder()
  fs.writeFileSync(join(tree, 'f'), 'one\ntwo\nthree\n')
  return tree
}

const apply = (tree: string, ...flags: readonly string[]) =>
  cli(['patch', 'apply', '--tree', tree, ...flags, '-'], { input: fine })

test('SIGKILL at any moment of an apply: the tree is all old or all new, and the next run completes it', async (t) => {
  const box = folder()
  const series = seriesOf(100, box)
  const work = join(box, 'work')
  const old = contentOf(series.tree)
  fs.cpSync(series.tree, work, { recursive: true })
  t.is(await fwbuild(['patch', 'apply', '--tree', work, series.patches]), 0)
  const expected = { old, new: contentOf(work) }
  t.not(expected.new, old)
  for (const delayMs of [0, 3, 10]) {
    await t.notThrowsAsync(killedApply(series, work, expected, { from: 'write', delayMs }))
  }
})

/** A process that stops for good ahead of the nth call of a function that changes the file system. */
const dying = `
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
const [tree, count] = [process.argv[2], Number(process.argv[3])]
let calls = 0
for (const name of ['renameSync', 'linkSync', 'mkdirSync', 'rmdirSync', 'unlinkSync', 'writeFileSync', 'symlinkSync']) {
  const original = fs[name]
  fs[name] = (...args) => {
    if (++calls === count) process.kill(process.pid, 'SIGKILL')
    return original(...args)
  }
}
syncBuiltinESMExports()
const { changeTree } = await import(process.argv[4])
const change = await changeTree(tree, 'dying')
const file = (text) => ({ kind: 'file', mode: 0o100644, bytes: Buffer.from(text) })
await change.write(new Map([
  ['a', file('new a')], ['gone/deep/f', undefined], ['place', undefined], ['place/below', file('new')],
  ['link', { kind: 'symlink', mode: 0o120000, bytes: Buffer.from('a') }], ['made/x/y', file('new y')],
]))
await change[Symbol.asyncDispose]()
`

test('death ahead of every single call that changes something: all old or all new after the next run', async (t) => {
  const box = folder()
  fs.writeFileSync(join(box, 'dying.mjs'), dying)
  const tree = join(box, 'tree')
  const make = (): void => {
    fs.rmSync(tree, { recursive: true, force: true })
    fs.mkdirSync(join(tree, 'gone/deep'), { recursive: true })
    fs.writeFileSync(join(tree, 'a'), 'old a')
    fs.writeFileSync(join(tree, 'gone/deep/f'), 'old f')
    fs.writeFileSync(join(tree, 'place'), 'old place')
  }
  const run = (count: number): Promise<number | null> => {
    const args = [join(box, 'dying.mjs'), tree, String(count)]
    const child = spawn(process.execPath, [...args, resolve('dist/src/effects/tree-change/change.js')])
    return new Promise((done) => child.on('close', done))
  }
  make()
  const old = contentOf(tree)
  t.is(await run(0), 0)
  const fresh = contentOf(tree)
  const seen = new Set<string>()
  for (let count = 1; ; count++) {
    make()
    if ((await run(count)) === 0) break
    const change = await changeTree(tree, 'test')
    await change[Symbol.asyncDispose]()
    const now = contentOf(tree)
    t.true(now === old || now === fresh, `call ${count}: ${fs.readdirSync(tree).join(' ')}`)
    seen.add(now)
    if (count > 100) t.fail('it never comes to an end')
  }
  t.is(seen.size, 2)
})

test('an apply that was killed is told and taken back: by the next, or by recover; check and rewrite refuse', async (t) => {
  const tree = smallTree()
  const leave = async (): Promise<void> => {
    const box = folder()
    fs.writeFileSync(join(box, 'dying.mjs'), dying.replace("['a', file('new a')]", "['f', file('new f')]"))
    const args = [join(box, 'dying.mjs'), tree, '12', resolve('dist/src/effects/tree-change/change.js')]
    await new Promise((done) => spawn(process.execPath, args).on('close', done))
    t.true(fs.existsSync(join(tree, '.fwbuild-apply')))
  }
  await leave()
  for (const args of [['check'], ['rewrite'], ['apply', '--dry-run']]) {
    const { exitCode, stderr } = await cli(['patch', ...args, '--tree', tree, '-'], { input: fine })
    t.is(exitCode, 3)
    t.regex(stderr, /patch recover/)
  }
  const recovered = await cli(['patch', 'recover', '--tree', tree])
  t.is(recovered.exitCode, 0, recovered.stderr)
  t.regex(recovered.stdout, /was killed/)
  t.is(fs.readFileSync(join(tree, 'f'), 'utf8'), 'one\ntwo\nthree\n')
  t.deepEqual(fs.readdirSync(tree), ['f'])
  t.regex((await cli(['patch', 'recover', '--tree', tree])).stdout, /nothing was left/)
  await leave()
  const next = await apply(tree)
  t.is(next.exitCode, 0)
  t.regex(next.stderr, /was killed/)
  t.deepEqual(fs.readdirSync(tree), ['f'])
})

test('two applies exclude each other; the lock of a dead process is taken over', async (t) => {
  const tree = smallTree()
  const change = await changeTree(tree, 'somebody else')
  const refused = await apply(tree)
  t.is(refused.exitCode, 3)
  t.regex(refused.stderr, new RegExp(`is being changed by process ${process.pid} .*\\n.*somebody else`))
  t.is(fs.readFileSync(join(tree, 'f'), 'utf8'), 'one\ntwo\nthree\n')
  await change[Symbol.asyncDispose]()
  const dead = `import { changeTree } from ${JSON.stringify(resolve('dist/src/effects/tree-change/change.js'))}
await changeTree(process.argv[1], 'dead')
process.kill(process.pid, 'SIGKILL')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', dead, tree])
  await new Promise((done) => child.on('close', done))
  t.true(fs.existsSync(join(tree, '.fwbuild-apply/lock')))
  t.is((await apply(tree)).exitCode, 0)
  t.deepEqual(fs.readdirSync(tree), ['f'])
})

test('many applies at once: each that runs finds what the one before left, none is lost', async (t) => {
  const tree = folder()
  const names = Array.from({ length: 8 }, (_, at) => `f${at}`)
  for (const name of names) fs.writeFileSync(join(tree, name), 'one\n')
  const all = await Promise.all(
    names.map(async (name) => {
      for (;;) {
        const input = `--- a/${name}\n+++ b/${name}\n@@ -1 +1 @@\n-one\n+two\n`
        const { exitCode } = await cli(['patch', 'apply', '--tree', tree, '-'], { input })
        if (exitCode !== 3) return exitCode
        await sleep(5)
      }
    }),
  )
  t.deepEqual([...new Set(all)], [0])
  t.deepEqual(fs.readdirSync(tree).toSorted(), names)
  for (const name of names) t.is(fs.readFileSync(join(tree, name), 'utf8'), 'two\n')
})

test('a journal that was not made in this tree is not believed', async (t) => {
  const tree = smallTree()
  fs.mkdirSync(join(tree, '.fwbuild-apply'))
  const entry = {
    path: 'f',
    change: 'write',
    wasThere: false,
    folder: '',
    inode: fs.statSync(join(tree, 'f')).ino,
  }
  const place = [fs.statSync(tree).ino, fs.statSync(join(tree, '.fwbuild-apply')).ino]
  const journal = { version: 1, id: '0123456789ab', place: [1, 2], entries: [entry], folders: [] }
  const planted: readonly [unknown, RegExp][] = [
    [journal, /another place/],
    [{ ...journal, place, entries: [{ ...entry, path: '../f' }] }, /damaged/],
    [{ ...journal, place, entries: [{ ...entry, path: '.git/config' }] }, /damaged/],
    [{ ...journal, place, folders: ['a/../../b'] }, /damaged/],
    [{ ...journal, place, id: '../../x' }, /damaged/],
    ['}', /is not used/],
  ]
  for (const [content, reason] of planted) {
    fs.writeFileSync(
      join(tree, '.fwbuild-apply/journal'),
      typeof content === 'string' ? content : JSON.stringify(content),
    )
    const { exitCode, stderr } = await apply(tree)
    t.is(exitCode, 3)
    t.regex(stderr, reason)
    t.is(fs.readFileSync(join(tree, 'f'), 'utf8'), 'one\ntwo\nthree\n')
  }
  fs.rmSync(join(tree, '.fwbuild-apply'), { recursive: true })
  const outside = folder()
  fs.symlinkSync(outside, join(tree, '.fwbuild-apply'))
  const { exitCode, stderr } = await apply(tree)
  t.is(exitCode, 3)
  t.regex(stderr, /no folder/)
  t.deepEqual(fs.readdirSync(outside), [])
})

test('no patch names the folder of the journal', async (t) => {
  const tree = smallTree()
  for (const name of [
    '.fwbuild-apply/journal',
    '.FWBUILD-APPLY/lock',
    '.fwbuild-\u200Capply/x',
    '.fwbuild-apply',
  ]) {
    const input = `--- /dev/null\n+++ b/${name}\n@@ -0,0 +1 @@\n+evil\n`
    const { exitCode, stdout } = await cli(['patch', 'apply', '--tree', tree, '-'], { input })
    t.is(exitCode, 1, name)
    t.regex(stdout, /fwbuild's own/)
  }
})

test('an interrupt in the middle of writing puts the tree back', async (t) => {
  const tree = folder()
  const files = new Map(Array.from({ length: 3000 }, (_, at) => [`d${at % 9}/f${at}`, fileState(`${at}\n`)]))
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 40)
  await t.throwsAsync(writeTree(tree, files, controller.signal), { code: 'E_CANCELLED' })
  t.deepEqual(fs.readdirSync(tree), [])
})
