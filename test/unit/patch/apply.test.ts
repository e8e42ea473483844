import test from 'ava'
import { applyPatch } from '../../../src/core/patch/apply.ts'
import type { FileState } from '../../../src/core/patch/file-state.ts'
import { parsePatch } from '../../../src/core/patch/parse.ts'
import { applySeries } from '../../../src/core/patch/series.ts'
import { applyTo, fileState, numbered, placementOf, textAfter } from '../../helpers/patch.ts'

const change = `--- a/f
+++ b/f
@@ -4,7 +4,7 @@
 statement_4(device);
 statement_5(device);
 statement_6(device);
-statement_7(device);
+changed();
 statement_8(device);
 statement_9(device);
 statement_10(device);
`
const before = numbered(1, 20)
const after = before.replace('statement_7(device);', 'changed();')

test('exact, offset and already applied are told apart', (t) => {
  const exact = applyTo(change, { f: before })
  t.is(placementOf(exact).status, 'exact')
  t.is(textAfter(exact, 'f'), after)

  const offset = applyTo(change, { f: `new\nlines\n${before}` })
  t.is(placementOf(offset).status, 'offset')
  t.is(placementOf(offset).offset, 2)
  t.is(textAfter(offset, 'f'), `new\nlines\n${after}`)

  const again = applyTo(change, { f: after })
  t.is(again.status, 'already-applied')
  t.is(again.files.size, 0)
})

test('a hunk at the end of the file is not taken for applied because its context stands there', (t) => {
  const append =
    '--- a/f\n+++ b/f\n@@ -3,3 +3,5 @@\n statement_3(device);\n statement_4(device);\n statement_5(device);\n+\n+config NEW\n'
  const result = applyTo(append, { f: numbered(1, 5) })
  t.is(placementOf(result).status, 'exact')
  t.is(textAfter(result, 'f'), `${numbered(1, 5)}\nconfig NEW\n`)
  t.is(applyTo(append, { f: `${numbered(1, 5)}\nconfig NEW\n` }).status, 'already-applied')
})

test('reverse undoes', (t) => {
  t.is(textAfter(applyTo(change, { f: after }, { reverse: true }), 'f'), before)
})

test('one refused hunk refuses the whole patch', (t) => {
  const both = `${change}--- a/g\n+++ b/g\n@@ -1,2 +1,2 @@\n-never there\n+new\n context\n`
  const result = applyTo(both, { f: before, g: 'other\ntext\n' })
  t.is(result.status, 'refused')
  t.is(result.files.size, 0)
  t.deepEqual(
    result.refusals.map(({ path, hunk }) => [path, hunk]),
    [['g', 1]],
  )
})

test('files are created, deleted, renamed, and change their mode', (t) => {
  const patch = `diff --git a/new b/new
new file mode 100755
--- /dev/null
+++ b/new
@@ -0,0 +1,2 @@
+one
+two
diff --git a/gone b/gone
deleted file mode 100644
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-one
diff --git a/x b/sub/y
similarity index 100%
rename from x
rename to sub/y
diff --git a/run b/run
old mode 100644
new mode 100755
`
  const result = applyTo(patch, { gone: 'one\n', x: 'kept\n', run: '#!/bin/sh\n' })
  t.is(result.status, 'applied')
  t.is(result.files.get('new')?.mode, 0o100755)
  t.is(textAfter(result, 'new'), 'one\ntwo\n')
  t.true(result.files.has('gone'))
  t.is(result.files.get('gone'), undefined)
  t.is(textAfter(result, 'sub/y'), 'kept\n')
  t.true(result.files.has('x'))
  t.is(result.files.get('run')?.mode, 0o100755)
  t.deepEqual([...result.files.keys()], [...result.files.keys()].toSorted())
})

test('a new file that exists: the same content is already applied, another is refused', (t) => {
  const patch = '--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+one\n'
  t.is(applyTo(patch, { new: 'one\n' }).status, 'already-applied')
  t.is(applyTo(patch, { new: 'other\n' }).status, 'refused')
})

test('Subversion marks new and deleted files by a word of its own', (t) => {
  for (const mark of ['\t(revision 0)', ' (revision 0)', '\t(nonexistent)']) {
    const made = `--- new.c${mark}\n+++ new.c\t(working copy)\n@@ -0,0 +1 @@\n+one\n`
    t.is(textAfter(applyTo(made, {}, { strip: 0 }), 'new.c'), 'one\n')
  }
  const gone = '--- old.c\t(revision 3)\n+++ old.c\t(nonexistent)\n@@ -1 +0,0 @@\n-one\n'
  t.deepEqual([...applyTo(gone, { 'old.c': 'one\n' }, { strip: 0 }).files], [['old.c', undefined]])
})

test('deleting a file that holds more than the patch knows is refused', (t) => {
  const patch = '--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n'
  t.regex(applyTo(patch, { f: 'one\nmore\n' }).refusals[0]?.reason ?? '', /lines remain/)
  t.is(applyTo(patch, {}).status, 'already-applied')
})

const names: Readonly<Record<string, RegExp>> = {
  'b/../../etc/passwd': /leaves the tree/,
  '/etc/passwd': /absolute/,
  'b/.git/hooks/pre-commit': /\.git directory/,
  'b/sub/.GIT/config': /\.git directory/,
  '"b/x\\000y"': /NUL|names no file/,
  '"b/\\377"': /UTF-8/,
}

for (const [name, reason] of Object.entries(names)) {
  test(`unsafe name ${name} is refused`, (t) => {
    const result = applyTo(`--- /dev/null\n+++ ${name}\n@@ -0,0 +1 @@\n+x\n`, {})
    t.is(result.status, 'refused')
    t.regex(result.refusals[0]?.reason ?? '', reason)
  })
}

test('nothing is written through a symbolic link, and none may leave the tree', (t) => {
  const link: FileState = { bytes: Buffer.from('/etc'), mode: 0o120000, kind: 'symlink' }
  const through = applyPatch(parsePatch('--- /dev/null\n+++ b/dir/f\n@@ -0,0 +1 @@\n+x\n'), (path) =>
    path === 'dir' ? link : undefined,
  )
  t.regex(through.refusals[0]?.reason ?? '', /symbolic link/)
  const escape = (target: string) =>
    applyTo(
      `diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+${target}\n\\ No newline at end of file\n`,
      {},
    )
  t.is(escape('/etc/passwd').status, 'refused')
  t.is(escape('../x').status, 'refused')
  t.is(escape('sibling').files.get('l')?.kind, 'symlink')
})

test('a device file or a directory is not patched', (t) => {
  const device: FileState = { bytes: Buffer.alloc(0), mode: 0o20666, kind: 'other' }
  t.is(applyPatch(parsePatch(change), () => device).status, 'refused')
})

test('a patch that a mailer gave CR LF applies to a file with LF; a file with CR LF keeps its own', (t) => {
  const crlf = (text: string): string => text.replaceAll('\n', '\r\n')
  t.is(textAfter(applyTo(crlf(change), { f: before }), 'f'), after)
  t.is(textAfter(applyTo(crlf(change), { f: crlf(before) }), 'f'), crlf(after))
  t.regex(applyTo(change, { f: crlf(before) }).refusals[0]?.reason ?? '', /CR LF/)
})

test('a series threads its changes and is all or nothing', (t) => {
  const second = change.replaceAll('statement_7(device);', 'first();').replace('+changed();', '+second();')
  const first = change.replace('+changed();', '+first();')
  const read = (path: string) => (path === 'f' ? fileState(before) : undefined)
  const named = [first, second].map((text, at) => ({ name: String(at), patch: parsePatch(text) }))
  const done = applySeries(named, read)
  t.is(done.status, 'applied')
  t.is(
    Buffer.from(done.files.get('f')?.bytes ?? []).toString(),
    before.replace('statement_7(device);', 'second();'),
  )
  const refused = applySeries(named.toReversed(), read)
  t.is(refused.status, 'refused')
  t.is(refused.files.size, 0)
  t.is(refused.patches.length, 1)
  t.is(applySeries(named.toReversed(), read, { keepGoing: true }).patches.length, 2)
})
