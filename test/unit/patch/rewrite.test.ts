import test from 'ava'
import * as fc from 'fast-check'
import { createTwoFilesPatch } from 'diff'
import { applyPatch, type ApplyResult } from '../../../src/core/patch/apply.ts'
import type { FileState } from '../../../src/core/patch/file-state.ts'
import { binaryString, bytesOf, splitLines } from '../../../src/core/patch/lines.ts'
import { parsePatch } from '../../../src/core/patch/parse.ts'
import { printPatch } from '../../../src/core/patch/print.ts'
import { rewritePatch } from '../../../src/core/patch/rewrite.ts'

const stateOf = (text: string): FileState => ({ bytes: bytesOf(text), mode: 0o100644, kind: 'file' })

const apply = (patch: string, text: string, bestEffort = false): ApplyResult =>
  applyPatch(parsePatch(patch), (path) => (path === 'f.c' ? stateOf(text) : undefined), { bestEffort })

/** The patch as it should have been for a file of this text. */
function rewritten(patch: string, text: string): string {
  const result = apply(patch, text)
  if (result.status === 'refused') throw new Error(result.refusals[0]?.reason)
  return printPatch(rewritePatch(parsePatch(patch), result).patch)
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, at) => `line ${at + 1}`)
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

const patch = `From: someone
Subject: [PATCH] two changes

 f.c | 4 ++--
---
diff --git a/f.c b/f.c
index 1234567..89abcde 100644
--- a/f.c
+++ b/f.c
@@ -7,7 +7,7 @@ some_function(void)
 line 7
 line 8
 line 9
-line 10
+LINE 10
 line 11
 line 12
 line 13
@@ -27,7 +27,7 @@ other_function(void)
 line 27
 line 28
 line 29
-line 30
+LINE 30
 line 31
 line 32
 line 33
-- 
2.39.2
`

test('an exact patch stays byte by byte', (t) => {
  t.is(rewritten(patch, textOf(numbered(40))), patch)
})

test('numbers follow lines inserted above, everything else stays', (t) => {
  const lines = ['new 1', 'new 2', ...numbered(20), 'new 3', ...numbered(40).slice(20)]
  const expected = patch
    .replace('@@ -7,7 +7,7 @@', '@@ -9,7 +9,7 @@')
    .replace('@@ -27,7 +27,7 @@', '@@ -30,7 +30,7 @@')
  t.is(rewritten(patch, textOf(lines)), expected)
})

test('context that changed is true afterwards', (t) => {
  const lines = numbered(40).with(8, 'other 9').toSpliced(10, 0, 'inserted')
  const expected = patch
    .replace(' line 9\n', ' other 9\n')
    .replace(' line 11\n line 12\n line 13\n', ' inserted\n line 11\n line 12\n')
    .replace('@@ -27,7 +27,7 @@', '@@ -28,7 +28,7 @@')
  t.is(rewritten(patch, textOf(lines)), expected)
})

test('a hunk that was applied already is left out and told', (t) => {
  const text = textOf(numbered(40).with(9, 'LINE 10'))
  const { leftOut } = rewritePatch(parsePatch(patch), apply(patch, text))
  t.deepEqual(leftOut, [{ path: 'f.c', hunk: 1 }])
  const result = rewritten(patch, text)
  t.notRegex(result, /some_function/)
  t.regex(result, /^@@ -27,7 \+27,7 @@ other_function\(void\)$/m)
})

test('a patch that was applied already leaves its text only', (t) => {
  const text = textOf(numbered(40).with(9, 'LINE 10').with(29, 'LINE 30'))
  t.is(rewritten(patch, text), `${patch.slice(0, patch.indexOf('diff --git'))}-- \n2.39.2\n`)
})

test('hunks whose contexts came to overlap become one', (t) => {
  const lines = numbered(40).toSpliced(11, 16)
  const result = rewritten(patch, textOf(lines))
  t.is(result.match(/^@@/gm)?.length, 1)
  t.regex(result, /^@@ -7,11 \+7,11 @@ some_function\(void\)$/m)
})

test('a rename that was done already becomes a plain change', (t) => {
  const rename = `diff --git a/old.c b/f.c
similarity index 90%
rename from old.c
rename to f.c
--- a/old.c
+++ b/f.c
@@ -1,2 +1,2 @@
 line 1
-line 2
+LINE 2
`
  const expected = rename.replace(/^diff[\s\S]*?(?=\+\+\+)/, '--- b/f.c\n')
  t.is(rewritten(rename, 'line 1\nline 2\n'), expected)
})

const word = fc.constantFrom('a', 'b', 'c', '{', '}', '', 'x = 1;', 'y();', 'return;')
const someLines = fc
  .array(fc.tuple(word, fc.nat(30)), { maxLength: 40 })
  .map((pairs) => pairs.map(([text, number]) => (number < 20 ? `${text} ${number}` : text)))
/** Some lines replaced by others, at random places. */
const changes = fc.array(fc.tuple(fc.nat(40), fc.nat(2), fc.array(word, { maxLength: 2 })), { maxLength: 4 })

function changed(
  lines: readonly string[],
  edits: readonly (readonly [number, number, string[]])[],
): string[] {
  return edits.reduce<string[]>((all, [at, count, added]) => all.toSpliced(at, count, ...added), [...lines])
}

/** Applies hunks at the very lines that they name, or fails: no search, no fuzz. */
function strictly(text: string, tree: string): string {
  const [file] = parsePatch(text).files
  const before = splitLines(tree)
  const after: string[] = []
  let at = 0
  for (const { old, new: fresh, lines } of file?.hunks ?? []) {
    const start = old.count === 0 ? old.start : old.start - 1
    after.push(...before.slice(at, start))
    if (after.length !== (fresh.count === 0 ? fresh.start : fresh.start - 1)) return 'a wrong new number'
    at = start
    for (const line of lines) {
      if (line.kind !== 'added' && before[at++] !== line.text) return `not there: ${line.text}`
      if (line.kind !== 'removed') after.push(line.text)
    }
  }
  return [...after, ...before.slice(at)].join('')
}

test('property: a rewritten patch does the same at the very lines that it names', (t) => {
  let applied = 0
  fc.assert(
    fc.property(
      someLines,
      changes,
      changes,
      fc.integer({ min: 0, max: 4 }),
      (lines, mine, theirs, context) => {
        const old = textOf(lines)
        const made = createTwoFilesPatch('a/f.c', 'b/f.c', old, textOf(changed(lines, mine)), '', '', {
          context,
        })
        const tree = textOf(changed(lines, theirs))
        const result = apply(made, tree, true)
        if (result.status !== 'applied') return
        applied++
        const once = printPatch(rewritePatch(parsePatch(made), result).patch)
        const want = binaryString(result.files.get('f.c')?.bytes ?? new Uint8Array())
        t.is(strictly(once, tree), want, `${made}\n${once}`)
        t.deepEqual(parsePatch(once).problems, [])
      },
    ),
    { numRuns: 2000 },
  )
  t.true(applied > 300, `only ${applied} applied`)
})
