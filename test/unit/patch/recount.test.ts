import test from 'ava'
import { parsePatch } from '../../../src/core/patch/parse.ts'
import { recountPatch } from '../../../src/core/patch/recount.ts'
import { applyTo, numbered, textAfter } from '../../helpers/patch.ts'

const body = {
  first: ' statement_4(device);\n statement_5(device);\n+added_a();\n statement_6(device);\n',
  second:
    ' statement_24(device);\n-statement_25(device);\n+added_b();\n+added_c();\n statement_26(device);\n',
}
const signature = '-- \n2.39.5\n\n'
const patch = (first: string, second: string, end = ''): string =>
  `Subject: two hunks\n\n--- a/f\n+++ b/f\n${first} @@ run(void)\n${body.first}${second} @@ run(void)\n${body.second}${end}`
const [first, second] = ['@@ -4,3 +4,4', '@@ -24,3 +25,4']
const right = patch(first, second)
const before = numbered(1, 40)
const after = before
  .replace('statement_6(', 'added_a();\nstatement_6(')
  .replace('statement_25(device);\n', 'added_b();\nadded_c();\n')

const miscounted: Readonly<Record<string, readonly [string, string]>> = {
  'too many new lines': ['@@ -4,3 +4,6', second],
  'too few new lines': ['@@ -4,3 +4,3', second],
  'too many of both': ['@@ -4,5 +4,6', second],
  'too few of both': ['@@ -4,1 +4,1', second],
  'a later hunk with too many': [first, '@@ -24,8 +25,9'],
  'a later hunk with too few': [first, '@@ -24,3 +25,3'],
  'both hunks': ['@@ -4,7 +4,9', '@@ -24,1 +25,1'],
}

for (const [title, [one, two]] of Object.entries(miscounted)) {
  for (const [at, end] of ['', signature, `\n${patch(first, second).replaceAll('/f', '/g')}`].entries()) {
    test(`hand-edited counts: ${title}, ${['at the end', 'ahead of a signature', 'ahead of another patch'][at]}`, (t) => {
      const text = patch(one, two, end)
      const [problem] = parsePatch(text).problems
      t.regex(
        problem?.reason ?? '',
        /^the hunk "@@ .*" claims \d+ old and \d+ new lines, but \d and \d stand ahead of/,
      )
      t.regex(problem?.reason ?? '', /should read "@@ -(4,3 \+4,4|24,3 \+25,4) @@ run\(void\)"/)
      const line = text.split('\n')[(problem?.line ?? 0) - 1] ?? ''
      t.true((problem?.reason ?? '').includes(`"${line}"`), 'the line is that of the @@')
      t.is(recountPatch(text), patch(first, second, end))
    })
  }
}

test('hand-edited counts: what counts right stays as it is, and applies', (t) => {
  t.is(recountPatch(right), right)
  t.is(recountPatch(right + signature), right + signature)
  t.is(textAfter(applyTo(right, { f: before }), 'f'), after)
})

test('hand-edited counts: a hunk that swallows the header of the next file is told, not applied elsewhere', (t) => {
  const text = `--- a/f\n+++ b/f\n@@ -4,4 +4,5 @@\n${body.first}--- a/g\n+++ b/g\n@@ -24,3 +24,4 @@\n${body.second}`
  const [problem] = parsePatch(text).problems
  t.is(problem?.line, 3)
  t.regex(
    problem?.reason ?? '',
    /claims 4 old and 5 new lines, but 3 and 4 stand ahead of the next file \(line 8\)/,
  )
  t.deepEqual(parsePatch(recountPatch(text)).problems, [])
})

test('hand-edited counts: removed lines that look like a header are removed lines where the counts say so', (t) => {
  const text = '--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n one\n--- old comment\n+++ new counter\n two\n'
  t.deepEqual(parsePatch(text).problems, [])
  t.is(textAfter(applyTo(text, { f: 'one\n-- old comment\ntwo\n' }), 'f'), 'one\n++ new counter\ntwo\n')
})

for (const [title, line] of [
  ['added', '+lost();\n'],
  ['removed', '-statement_7(device);\n'],
] as const) {
  for (const blank of ['\n', ' \n', '\n\n', '\t\n']) {
    test(`hand-edited counts: ${title} lines behind a context line emptied of its blank (${JSON.stringify(blank)}) are never lost`, (t) => {
      const text = `--- a/f\n+++ b/f\n${first} @@\n${body.first}${blank}${line} statement_8(device);\n`
      t.regex(parsePatch(text).problems[0]?.reason ?? '', /what the counts leave out would be lost/)
      t.is(applyTo(text, { f: before }).status, 'refused')
    })
  }
}

test('hand-edited counts: a signature is no removed line', (t) => {
  const text = `--- a/f\n+++ b/f\n@@ -4,4 +4,4 @@\n${body.first}-- \n2.39.5\n`
  t.regex(parsePatch(text).problems[0]?.reason ?? '', /claims 4 old and 4 new lines, but 3 and 4/)
})

test('hand-edited counts: blank lines and text between two patches are no part of a hunk', (t) => {
  const text = `--- a/f\n+++ b/f\n${first} @@\n${body.first}\n\nText, and a list:\n- one\n+ two\n`
  t.deepEqual(parsePatch(text).problems, [])
})

test('hand-edited counts: a damaged line in a hunk is told as such', (t) => {
  const text = right.replace(' statement_5(device);\n', ' statement_5(\ndevice);\n')
  t.regex(parsePatch(text).problems[0]?.reason ?? '', /begins with none of/)
})
