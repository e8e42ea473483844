import { spawn, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import test from 'ava'
import { cli } from '../../helpers/cli.ts'
import { needProgram, testWith } from '../../helpers/need.ts'
import { temporaryFolders } from '../../helpers/temporary.ts'

const folder = temporaryFolders()
const statements = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `\tstatement_${at + 1}(device);`)
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

const hunk = (line: number): string =>
  `@@ -${line - 2},5 +${line - 2},5 @@ run(void)\n ${statements(99)
    .slice(line - 3, line + 2)
    .join('\n ')}\n`.replace(
    ` \tstatement_${line}(device);\n`,
    `-\tstatement_${line}(device);\n+\tchanged_${line}(device);\n`,
  )

const patchOf = (...lines: readonly number[]): string =>
  `Subject: [PATCH] change\n\n--- a/src/run.c\n+++ b/src/run.c\n${lines.map(hunk).join('')}-- \n2.39\n`

/** A tree whose file has drifted, and a series of three patches in a folder. */
function workspace() {
  const [tree, patches] = [folder(), folder()]
  fs.mkdirSync(join(tree, 'src'))
  const drifted = ['/* new */', ...statements(60)]
    .with(20, '\tother_20(device, flags);')
    .with(50, '\tchanged_50(device);')
  const file = join(tree, 'src/run.c')
  fs.writeFileSync(file, textOf(drifted))
  fs.writeFileSync(join(patches, '1-offset.patch'), patchOf(5))
  fs.writeFileSync(join(patches, '2-moved.patch'), patchOf(21))
  fs.writeFileSync(join(patches, '3-there.patch'), patchOf(50))
  return { tree, patches, file, drifted }
}

interface Report {
  readonly version: number
  readonly command: string
  readonly status: string
  readonly changed: readonly string[]
  readonly patches: readonly {
    readonly name: string
    readonly status: string
    readonly refusals: readonly { readonly hunk: number | null; readonly reason: string }[]
    readonly files: readonly {
      readonly path: string
      readonly hunks: readonly { readonly status: string; readonly line: number; readonly offset: number }[]
    }[]
  }[]
}

test('apply reports what was not exact, in text and as one document', async (t) => {
  const { tree, patches, file } = workspace()
  const text = await cli(['patch', 'apply', '--dry-run', '--tree', tree, patches])
  t.is(text.exitCode, 0, text.stderr)
  t.regex(text.stdout, /^ {2}src\/run\.c hunk 1: offset, line 4 \(\+1\): /m)
  t.regex(text.stdout, /^ {2}src\/run\.c hunk 1: fuzz, line 20 \(\+1\): 1 context lines? changed/m)
  t.regex(text.stdout, /^already-applied 3-there\.patch$/m)
  const json = await cli(['patch', 'apply', '--json', '--tree', tree, patches])
  const report = JSON.parse(json.stdout) as Report
  t.deepEqual(
    [report.version, report.command, report.status, report.changed],
    [1, 'apply', 'applied', ['src/run.c']],
  )
  t.deepEqual(
    report.patches.map(({ name, files }) => [name, files[0]?.hunks[0]?.status]),
    [
      ['1-offset.patch', 'offset'],
      ['2-moved.patch', 'fuzz'],
      ['3-there.patch', 'already-applied'],
    ],
  )
  t.regex(fs.readFileSync(file, 'utf8'), /other_20.*\n\tchanged_21\(device\);\n/)
})

test('check tries the patches one upon the other and behind a refused one', async (t) => {
  const { tree, patches, file } = workspace()
  fs.writeFileSync(join(patches, '2-moved.patch'), patchOf(90))
  const before = fs.readFileSync(file, 'utf8')
  const check = await cli(['patch', 'check', '--tree', tree, patches])
  t.is(check.exitCode, 1)
  t.regex(check.stdout, /^PATCH +FILE +HUNK +VERDICT +LINE +OFFSET +WHY$/m)
  t.regex(check.stdout, /^1-offset\.patch +src\/run\.c +1 +offset +4 +1 /m)
  t.regex(check.stdout, /^2-moved\.patch +src\/run\.c +1 +refused /m)
  t.regex(check.stdout, /^3-there\.patch +src\/run\.c +1? +already-applied/m)
  t.is(fs.readFileSync(file, 'utf8'), before)
  const json = JSON.parse((await cli(['patch', 'check', '--json', '--tree', tree, patches])).stdout) as Report
  t.is(json.status, 'refused')
  t.is(json.patches[1]?.refusals[0]?.hunk, 1)
})

testWith(
  [needProgram('git'), needProgram('patch')],
  '--rewrite-to writes a series that quilt, patch and git take as it is',
  async (t) => {
    const { tree, patches, file, drifted } = workspace()
    const target = join(folder(), 'rewritten')
    t.is((await cli(['patch', 'apply', '--tree', tree, '--rewrite-to', target, patches])).exitCode, 0)
    t.is(fs.readFileSync(join(target, 'series'), 'utf8'), '1-offset.patch\n2-moved.patch\n')
    const want = fs.readFileSync(file, 'utf8')
    for (const command of [
      ['git', 'apply', '-v'],
      ['patch', '-p1', '-F0', '-i'],
    ]) {
      fs.writeFileSync(file, textOf(drifted))
      for (const name of ['1-offset.patch', '2-moved.patch']) {
        const [program = '', ...args] = command
        const run = spawnSync(program, [...args, join(target, name)], {
          cwd: tree,
          encoding: 'utf8',
          env: { ...process.env, GIT_CEILING_DIRECTORIES: join(tree, '..') },
        })
        t.is(run.status, 0, run.stderr)
        t.notRegex(`${run.stdout}${run.stderr}`, /offset|fuzz/)
      }
      t.is(fs.readFileSync(file, 'utf8'), want)
    }
    fs.writeFileSync(file, textOf(drifted))
    const again = join(folder(), 'again')
    t.is(
      (await cli(['patch', 'apply', '--tree', tree, '--rewrite-to', again, join(target, 'series')])).exitCode,
      0,
    )
    for (const name of fs.readdirSync(target)) {
      t.is(fs.readFileSync(join(again, name), 'utf8'), fs.readFileSync(join(target, name), 'utf8'))
    }
  },
)

test('a quilt series file: order, -p, -R and comments', async (t) => {
  const { tree, patches, file } = workspace()
  fs.writeFileSync(join(patches, '0-deep.patch'), patchOf(30).replaceAll('/src/', '/x/src/'))
  fs.writeFileSync(join(patches, 'series'), '# ours\n0-deep.patch -p2 # deep\n\n3-there.patch -R\n')
  const result = await cli(['patch', 'apply', '--tree', tree, join(patches, 'series')])
  t.is(result.exitCode, 0, result.stderr)
  const text = fs.readFileSync(file, 'utf8')
  t.regex(text, /changed_30/)
  t.regex(text, /statement_50/)
  fs.writeFileSync(join(patches, 'series'), '1-offset.patch --what\n')
  const wrong = await cli(['patch', 'apply', '--tree', tree, join(patches, 'series')])
  t.is(wrong.exitCode, 2)
  t.regex(wrong.stderr, /series:1: unknown option --what/)
})

test('rewrite takes a patch from standard input; one that the tree has comes out empty', async (t) => {
  const { tree } = workspace()
  const rewritten = await cli(['patch', 'rewrite', '--tree', tree, '-'], { input: patchOf(5) })
  t.is(rewritten.stdout, patchOf(5).replace('-3,5 +3,5', '-4,5 +4,5'))
  t.regex(rewritten.stderr, /offset, line 4/)
  const there = await cli(['patch', 'rewrite', '--tree', tree, '-'], { input: patchOf(50) })
  t.is(there.stdout, 'Subject: [PATCH] change\n\n-- \n2.39\n')
  t.regex(there.stderr, /nothing remains/)
})

test('--show puts the patch and the file side by side; colour only on a terminal', async (t) => {
  const { tree, patches } = workspace()
  const args = ['patch', 'apply', '--dry-run', '--show', '--tree', tree, join(patches, '2-moved.patch')]
  const { stdout } = await cli(args)
  t.regex(stdout, /^ {5}statement_19\(device\); +\| +20 +statement_19\(device\);$/m)
  t.regex(stdout, /^\+ {4}changed_21\(device\); +\| +22 +changed_21\(device\);$/m)
  t.regex(stdout, /^- {4}statement_21\(device\); +\|$/m)
  t.false(stdout.includes('\u001B'))
})

test('bytes that are no UTF-8 survive a rewrite', async (t) => {
  const { tree, patches } = workspace()
  const name = join(patches, 'latin1.patch')
  fs.writeFileSync(name, patchOf(5).replace('change\n', 'chang\u00E9\n'), 'latin1')
  const out = join(patches, 'out.patch')
  t.is((await cli(['patch', 'rewrite', '--tree', tree, '-o', out, name])).exitCode, 0)
  t.regex(fs.readFileSync(out, 'latin1'), /chang\u00E9\n/)
})

test('-R of an entry and -R of the whole series cancel out', async (t) => {
  const { tree, patches, file } = workspace()
  const before = fs.readFileSync(file, 'utf8')
  const series = join(patches, 'series')
  fs.writeFileSync(series, '1-offset.patch\n3-there.patch -R\n')
  t.is((await cli(['patch', 'apply', '--tree', tree, series])).exitCode, 0)
  t.regex(fs.readFileSync(file, 'utf8'), /changed_5\(.*statement_50\(/s)
  t.is((await cli(['patch', 'apply', '-R', '--tree', tree, series])).exitCode, 0)
  t.is(fs.readFileSync(file, 'utf8'), before)
  for (const args of [
    ['apply', '--dry-run', '--rewrite-to', folder(), series],
    ['rewrite', series],
  ]) {
    fs.writeFileSync(series, '3-there.patch -R\n')
    const { exitCode, stderr } = await cli(['patch', ...args, '--tree', tree])
    t.is(exitCode, 2)
    t.regex(stderr, /3-there\.patch: a patch that the series marks -R can not be rewritten/)
  }
})

test('--rewrite-to keeps the -p of each entry', async (t) => {
  const { tree, patches } = workspace()
  fs.writeFileSync(join(patches, '0-deep.patch'), patchOf(30).replaceAll('/src/', '/x/src/'))
  fs.writeFileSync(join(patches, 'series'), '0-deep.patch -p2\n1-offset.patch\n')
  const target = join(folder(), 'rewritten')
  const args = ['patch', 'apply', '--dry-run', '--tree', tree]
  t.is((await cli([...args, '--rewrite-to', target, join(patches, 'series')])).exitCode, 0)
  t.is(fs.readFileSync(join(target, 'series'), 'utf8'), '0-deep.patch -p2\n1-offset.patch\n')
  t.is((await cli([...args, join(target, 'series')])).exitCode, 0)
})

test('the hint fits the refusal', async (t) => {
  const { tree, patches } = workspace()
  const hint = async (...args: string[]): Promise<string> =>
    (await cli(['patch', ...args, '--tree', tree, '-'], { input: patchOf(90) })).stderr
  t.regex(await hint('apply'), /--best-effort/)
  t.notRegex(await hint('check'), /--best-effort/)
  for (const strip of ['0', '3']) {
    const stderr = await hint('apply', '-p', strip)
    t.notRegex(stderr, /--best-effort/)
    t.regex(stderr, /-p N strips N components.*--tree DIR/)
  }
  fs.writeFileSync(join(patches, '1-offset.patch'), '*** a\n--- b\n***************\n')
  t.notRegex((await cli(['patch', 'apply', '--tree', tree, patches])).stderr, /--best-effort/)
})

/** Node catches an interrupt from its start, a hangup only since the command line asked for it. */
const catchesHangup = (pid: number): boolean =>
  /^SigCgt:.*[13579bdf]$/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))

test('an interrupt ends the run before anything is written', async (t) => {
  const { tree, file } = workspace()
  const before = fs.readFileSync(file, 'utf8')
  const late = await cli(['patch', 'apply', '--tree', tree, '-'], {
    input: patchOf(5),
    signal: AbortSignal.abort(),
  })
  t.is(late.exitCode, 130)
  // A process that waits for its patch, as in `… | fwbuild patch apply -`.
  const child = spawn(process.execPath, [resolve('dist/src/cli.js'), 'patch', 'apply', '--tree', tree, '-'])
  const exited = new Promise<number | null>((done) => child.on('close', done))
  while (!catchesHangup(child.pid ?? 0)) await setTimeout(20)
  child.kill('SIGINT')
  t.is(await exited, 130)
  t.is(fs.readFileSync(file, 'utf8'), before)
})

test('an empty patch of a series is told and passed over', async (t) => {
  const { tree, patches } = workspace()
  fs.writeFileSync(join(patches, '0-empty.patch'), '\n')
  fs.writeFileSync(join(patches, 'series'), '0-empty.patch\n1-offset.patch\n')
  for (const name of [patches, join(patches, 'series')]) {
    const target = join(folder(), 'rewritten')
    const args = ['--dry-run', '--rewrite-to', target, '--tree', tree, name]
    const { exitCode, stdout, stderr } = await cli(['patch', 'apply', ...args])
    t.is(exitCode, 0, stderr)
    t.regex(stdout, /^already-applied 0-empty\.patch\n {2}the patch is empty\napplied +1-offset/)
    t.false(fs.existsSync(join(target, '0-empty.patch')))
    const table = (await cli(['patch', 'check', '--tree', tree, name])).stdout
    t.regex(table, /^0-empty\.patch +already-applied +the patch is empty$/m)
  }
})

test('a patch may be called series.patch', async (t) => {
  const { tree, patches } = workspace()
  const name = join(patches, 'series.patch')
  fs.renameSync(join(patches, '1-offset.patch'), name)
  t.regex(
    (await cli(['patch', 'check', '--tree', tree, name])).stdout,
    /^series\.patch +src\/run\.c +1 +offset /m,
  )
})

test('what is to be deleted and is not there is told as such', async (t) => {
  const { tree } = workspace()
  const input = '--- a/none\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n'
  const { exitCode, stdout } = await cli(['patch', 'apply', '--tree', tree, '-'], { input })
  t.is(exitCode, 0)
  t.regex(stdout, /none: already applied: there is no such file to delete/)
})

test('edit refuses a malformed patch as apply does', async (t) => {
  const input = '--- a/f\n+++ b/f\n@@ -1,3 +1,4@@\n one\n'
  const { exitCode, stderr } = await cli(['patch', 'edit', '--drop-lines', 'x', '-'], { input })
  t.is(exitCode, 1)
  t.regex(stderr, /-:3: a hunk header that can not be read/)
})

const twoHunks = `--- a/src/run.c
+++ b/src/run.c
@@ -4,9 +4,9 @@ run(void)
 \tstatement_4(device);
-\tstatement_5(device);
+\tchanged_5(device);
 \tstatement_6(device);
@@ -20,3 +20,3 @@ run(void)
 \tstatement_20(device);
+\tadded_20(device);
 \tstatement_21(device);
 \tstatement_22(device);
`

testWith(
  [needProgram('git')],
  'hand-edited counts: edit --recount mends what git --recount takes, and apply offers it',
  async (t) => {
    const [mine, gits] = [folder(), folder()]
    for (const tree of [mine, gits]) {
      fs.mkdirSync(join(tree, 'src'))
      fs.writeFileSync(join(tree, 'src/run.c'), textOf(statements(40)))
    }
    const given = await cli(['patch', 'apply', '--tree', mine, '-'], { input: twoHunks })
    t.is(given.exitCode, 1)
    t.regex(given.stderr, /line 3: .*"@@ -4,3 \+4,3 @@ run\(void\)".*fwbuild patch edit --recount/)
    const mended = await cli(['patch', 'edit', '--recount', '-'], { input: twoHunks })
    t.is(mended.exitCode, 0, mended.stderr)
    t.regex(mended.stdout, /^@@ -4,3 \+4,3 @@ run\(void\)$/m)
    t.regex(mended.stdout, /^@@ -20,3 \+20,4 @@ run\(void\)$/m)
    t.is((await cli(['patch', 'apply', '--tree', mine, '-'], { input: mended.stdout })).exitCode, 0)
    const git = spawnSync('git', ['apply', '--recount', '-'], { cwd: gits, input: twoHunks })
    t.is(git.status, 0, String(git.stderr))
    t.is(fs.readFileSync(join(mine, 'src/run.c'), 'utf8'), fs.readFileSync(join(gits, 'src/run.c'), 'utf8'))
  },
)

test('edit says so when nothing matches, and writes nothing', async (t) => {
  const output = join(folder(), 'out.patch')
  const run = await cli(['patch', 'edit', '--drop-lines', 'never_there', '-o', output, '-'], {
    input: patchOf(5),
  })
  t.is(run.exitCode, 1)
  t.regex(run.stderr, /no added or removed line matches \/never_there\//)
  t.false(fs.existsSync(output))
  t.is((await cli(['patch', 'edit', '-'], { input: patchOf(5) })).exitCode, 2)
})

testWith([needProgram('patch')], 'converted line ends: as GNU patch has it, new files too', async (t) => {
  const [mine, gnus] = [folder(), folder()]
  const start = '--- /dev/null\n+++ b/etc/start\n@@ -0,0 +1,2 @@\n+#!/bin/sh\n+exit 0\n'
  const patch = join(folder(), 'crlf.patch')
  fs.writeFileSync(patch, (patchOf(5) + start).replaceAll('\n', '\r\n'))
  for (const tree of [mine, gnus]) {
    fs.mkdirSync(join(tree, 'src'))
    fs.writeFileSync(join(tree, 'src/run.c'), textOf(statements(40)))
  }
  const run = await cli(['patch', 'apply', '--tree', mine, patch])
  t.is(run.exitCode, 0, run.stderr)
  t.regex(run.stdout, /converted to CR LF, which was undone/)
  t.is(spawnSync('patch', ['-p1', '-s', '-d', gnus, '-i', patch]).status, 0)
  for (const file of ['src/run.c', 'etc/start']) {
    t.is(fs.readFileSync(join(mine, file), 'utf8'), fs.readFileSync(join(gnus, file), 'utf8'))
  }
})
