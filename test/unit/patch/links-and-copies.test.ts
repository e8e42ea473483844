import test from 'ava'
import { applyTo, fileState, linkTo, numbered, textAfter } from '../../helpers/patch.ts'

const noLineFeed = '\\ No newline at end of file\n'

const relink = (path: string, from: string, to: string): string =>
  `diff --git a/${path} b/${path}\nindex 1111111..2222222 120000\n--- a/${path}\n+++ b/${path}\n` +
  `@@ -1 +1 @@\n-${from}\n${noLineFeed}+${to}\n${noLineFeed}`

const newLink = (path: string, target: string): string =>
  `diff --git a/${path} b/${path}\nnew file mode 120000\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+${target}\n${noLineFeed}`

const move = (from: string, to: string, verb = 'rename'): string =>
  `diff --git a/${from} b/${to}\nsimilarity index 100%\n${verb} from ${from}\n${verb} to ${to}\n`

const leaving: Readonly<Record<string, string>> = {
  'changed to an absolute name': relink('l', 'a', '/etc/passwd'),
  'changed to a name above the tree': relink('l', 'a', '../a'),
  'made harmless, then changed': `${newLink('m', 'a')}${relink('m', 'a', '/etc')}`,
  'renamed upwards': move('sub/up', 'up'),
  'copied upwards': move('sub/up', 'up', 'copy'),
  'that goes up behind a name, which may be a link': newLink('m', 'sub/../../x'),
  'to nothing': 'diff --git a/m b/m\nnew file mode 120000\n',
}

for (const [title, patch] of Object.entries(leaving)) {
  test(`a symbolic link ${title} is refused`, (t) => {
    const result = applyTo(patch, { a: 'x\n', l: linkTo('a'), 'sub/up': linkTo('../a') })
    t.is(result.status, 'refused')
    t.regex(result.refusals[0]?.reason ?? '', /^a symbolic link (to|that)/)
  })
}

test('a symbolic link that stays in the tree is changed, renamed and copied', (t) => {
  const tree = { a: 'x\n', l: linkTo('a'), 'sub/up': linkTo('../a') }
  t.is(textAfter(applyTo(relink('l', 'a', 'b'), tree), 'l'), 'b')
  for (const verb of ['rename', 'copy']) {
    const moved = applyTo(move('l', 'n', verb), tree).files.get('n')
    t.is(moved?.kind, 'symlink')
    t.is(moved?.mode, 0o120000)
  }
  t.is(textAfter(applyTo(move('sub/up', 'sub/other'), tree), 'sub/other'), '../a')
})

test('a file does not become a symbolic link by its mode, nor the other way round', (t) => {
  const mode = (old: string, fresh: string) => `diff --git a/f b/f\nold mode ${old}\nnew mode ${fresh}\n`
  t.is(applyTo(mode('120000', '100644'), { f: linkTo('a') }).status, 'refused')
  t.is(applyTo(mode('100644', '120000'), { f: 'a' }).status, 'refused')
})

const newFile = (mode: string): string =>
  `diff --git a/f b/f\nnew file mode ${mode}\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n${noLineFeed}`

test('a new file that is there: its mode follows the patch, its kind must be right', (t) => {
  t.is(applyTo(newFile('100755'), { f: fileState('a', 0o100755) }).status, 'already-applied')
  const mode = applyTo(newFile('100755'), { f: 'a' })
  t.is(mode.status, 'applied')
  t.is(mode.files.get('f')?.mode, 0o100755)
  t.regex(
    applyTo(newFile('120000'), { f: 'a' }).refusals[0]?.reason ?? '',
    /exists already, as a regular file/,
  )
  t.regex(
    applyTo(newFile('100644'), { f: linkTo('a') }).refusals[0]?.reason ?? '',
    /exists already, as a symbolic link/,
  )
})

test('an empty file that is filled keeps its mode where the patch names none', (t) => {
  const plain = '--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n'
  t.is(applyTo(plain, { f: fileState('', 0o100755) }).files.get('f')?.mode, 0o100755)
})

const copy = `diff --git a/s b/c
similarity index 90%
copy from s
copy to c
--- a/s
+++ b/c
@@ -4,3 +4,3 @@
 statement_4(device);
-statement_5(device);
+changed();
 statement_6(device);
`
const original = numbered(1, 9)
const copied = original.replace('statement_5(device);', 'changed();')

test('a copy is made once; the second time it is there', (t) => {
  t.is(textAfter(applyTo(copy, { s: original }), 'c'), copied)
  t.is(applyTo(copy, { s: original, c: copied }).status, 'already-applied')
  t.regex(applyTo(copy, { s: original, c: original }).refusals[0]?.reason ?? '', /exists already/)
  const whole = move('s', 'c', 'copy')
  t.is(applyTo(whole, { s: original, c: original }).status, 'already-applied')
  t.is(applyTo(whole, { s: original, c: copied }).status, 'refused')
  t.is(applyTo(copy, {}).status, 'refused')
})

test('a copy undone goes, its original stays', (t) => {
  const undo = applyTo(copy, { s: original, c: copied }, { reverse: true })
  t.deepEqual([...undo.files], [['c', undefined]])
  t.is(undo.placements[0]?.operation, 'delete')
  t.is(applyTo(copy, { s: copied }, { reverse: true }).status, 'already-applied')
  const whole = applyTo(move('s', 'c', 'copy'), { s: original, c: original }, { reverse: true })
  t.deepEqual([...whole.files], [['c', undefined]])
})

test('a copy that holds more than the patch made of it is not deleted', (t) => {
  const edited = applyTo(copy, { s: original, c: `${copied}more\n` }, { reverse: true })
  t.regex(edited.refusals[0]?.reason ?? '', /not what the patch made of s/)
})

test('the index line proves a copy whose original has changed since', (t) => {
  // git's name of '1\n2\n' is 1191247….
  const named = `diff --git a/s b/c
similarity index 50%
copy from s
copy to c
index 1191247..2222222 100644
--- a/s
+++ b/c
@@ -1,2 +1,2 @@
 1
-2
+two
`
  t.deepEqual(
    [...applyTo(named, { s: 'other\n', c: '1\ntwo\n' }, { reverse: true }).files],
    [['c', undefined]],
  )
  t.is(applyTo(named, { s: 'other\n', c: '1\ntwo\n3\n' }, { reverse: true }).status, 'refused')
})

const sourceChange = copy
  .slice(copy.indexOf('--- a/s'))
  .replace('+++ b/c', '+++ b/s')
  .replace('changed();', 'other();')

test('a copy is made of the file as it was before its commit, as git has it', (t) => {
  const other = original.replace('statement_5(device);', 'other();')
  for (const patch of [sourceChange + copy, copy + sourceChange]) {
    const result = applyTo(patch, { s: original })
    t.is(textAfter(result, 's'), other)
    t.is(textAfter(result, 'c'), copied)
  }
  const whole = sourceChange + move('s', 'c', 'copy')
  t.is(textAfter(applyTo(whole, { s: original }), 'c'), original)
  t.is(textAfter(applyTo(move('s', 'd') + copy, { s: original }), 'c'), copied)
  // Another mail in the same file is another commit.
  const mails = `${sourceChange}-- \n2.39\n\n${move('s', 'c', 'copy')}`
  t.is(textAfter(applyTo(mails, { s: original }), 'c'), other)
})
