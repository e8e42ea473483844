import * as fs from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { cli } from '../../helpers/cli.ts'
import { numbered } from '../../helpers/patch.ts'
import { temporaryFolders } from '../../helpers/temporary.ts'

const folder = temporaryFolders()
const docs = 'Documentation/admin-guide/kernel-parameters.txt'
const context = (at: number): string => ` statement_${at}(device);\n`
const change = (name: string, line: number): string =>
  `--- a/${name}\n+++ b/${name}\n@@ -${line - 1},4 +${line - 1},5 @@\n${[line - 1, line].map(context).join('')}+added(device);\n${[line + 1, line + 2].map(context).join('')}`

function treeWith(files: Readonly<Record<string, string>>): string {
  const tree = folder()
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(join(tree, name, '..'), { recursive: true })
    fs.writeFileSync(join(tree, name), text)
  }
  return tree
}

const code = numbered(1, 20)
const codeAfter = code.replace('statement_10(device);\n', 'statement_10(device);\nadded(device);\n')

test('a documentation hunk that does not fit: the hint offers --skip-docs, which leaves it out with a warning', async (t) => {
  const tree = treeWith({ 'drivers/a.c': code, [docs]: 'other text\n' })
  const patch = join(folder(), 'x.patch')
  fs.writeFileSync(patch, change('drivers/a.c', 10) + change(docs, 10))
  const refused = await cli(['patch', 'apply', '--tree', tree, patch])
  t.is(refused.exitCode, 1)
  t.regex(refused.stderr, /the code is whole: --skip-docs leaves the documentation out/)
  t.is(fs.readFileSync(join(tree, 'drivers/a.c'), 'utf8'), code)
  const check = await cli(['patch', 'check', '--skip-docs', '--tree', tree, patch])
  t.is(check.exitCode, 0, check.stderr)
  t.regex(check.stdout, /kernel-parameters\.txt +1 +left out/)
  const rewritten = await cli(['patch', 'rewrite', '--skip-docs', '--tree', tree, patch])
  t.is(rewritten.exitCode, 0)
  t.is(rewritten.stdout, change('drivers/a.c', 10))
  const rejects = folder()
  const run = await cli(['patch', 'apply', '--skip-docs', '--reject-to', rejects, '--tree', tree, patch])
  t.is(run.exitCode, 0, run.stderr)
  t.regex(run.stderr, /warning: x\.patch: Documentation\/.* hunk 1: LEFT OUT: /)
  t.is(fs.readFileSync(join(tree, 'drivers/a.c'), 'utf8'), codeAfter)
  t.is(fs.readFileSync(join(tree, docs), 'utf8'), 'other text\n')
  t.is(fs.readFileSync(join(rejects, 'x.patch.rej'), 'utf8'), change(docs, 10))
})

test('--skip-docs: documentation that fits goes in, a missing file is left out, and code is never left out', async (t) => {
  const input = change('drivers/a.c', 10) + change(docs, 5) + change('Documentation/gone.rst', 5)
  const tree = treeWith({ 'drivers/a.c': code, [docs]: numbered(1, 8) })
  const run = await cli(['patch', 'apply', '--json', '--skip-docs', '--tree', tree, '-'], { input })
  t.is(run.exitCode, 0, run.stderr)
  const report = JSON.parse(run.stdout) as {
    patches: { files: { path: string; skipped: string | null }[] }[]
  }
  t.deepEqual(
    report.patches[0]?.files.map(({ path, skipped }) => [path, skipped !== null]),
    [
      ['drivers/a.c', false],
      [docs, false],
      ['Documentation/gone.rst', true],
    ],
  )
  t.regex(fs.readFileSync(join(tree, docs), 'utf8'), /added/)
  for (const name of ['drivers/b.c', 'Documentation/Kconfig', 'Documentation/build.py']) {
    const other = treeWith({ [name]: 'other\n', [docs]: 'other\n' })
    const broken = await cli(['patch', 'apply', '--skip-docs', '--tree', other, '-'], {
      input: change(docs, 10) + change(name, 10),
    })
    t.is(broken.exitCode, 1)
    t.true(broken.stderr.includes(`${name} hunk 1`), 'the code is what is told')
    t.notRegex(broken.stderr, /the code is whole/)
  }
})

test('a hunk that fits in several places tells both, with file, line and what stands there', async (t) => {
  const block = '\tmode(a);\n\tstep(1);\n\tstep(2);\n\tdone(a);\n'
  const tree = treeWith({
    'src/f.c': `${numbered(1, 9)}${block}${numbered(10, 19)}${block}${numbered(20, 29)}`,
  })
  const input =
    '--- a/src/f.c\n+++ b/src/f.c\n@@ -40,3 +40,4 @@\n \tmode(a);\n \tstep(1);\n+\tnew();\n \tstep(2);\n'
  const run = await cli(['patch', 'apply', '--tree', tree, '-'], { input })
  t.is(run.exitCode, 1)
  t.regex(
    run.stderr,
    /fits about equally well in several places: src\/f\.c:\d+ \(behind "step\(1\);", ahead of "step\(2\);"\) and src\/f\.c:\d+ \(/,
  )
  t.regex(run.stderr, /src\/f\.c:12 /)
  t.regex(run.stderr, /src\/f\.c:26 /)
})
