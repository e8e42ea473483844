import test from 'ava'
import { parsePatch } from '../../../src/core/patch/parse.ts'
import { printPatch } from '../../../src/core/patch/print.ts'

const cases: Readonly<Record<string, string>> = {
  'a mail with headers, diffstat and signature': `From 0123 Mon Sep 17 00:00:00 2001
From: A Person <a@example.org>
Date: Mon, 1 Jan 2024 00:00:00 +0000
Subject: [PATCH 1/2] change
 a thing

 a.c | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)
---
diff --git a/a.c b/a.c
index 1111111..2222222 100644
--- a/a.c
+++ b/a.c
@@ -1,3 +1,3 @@ int main(void)
 one
-two
+zwei
 three
-- 
2.39.2

`,
  'rename, copy, mode, new and deleted files': `diff --git a/x b/y
similarity index 100%
rename from x
rename to y
diff --git a/x b/z
similarity index 100%
copy from x
copy to z
diff --git a/run b/run
old mode 100644
new mode 100755
diff --git a/new b/new
new file mode 100644
index 0000000..e69de29
diff --git a/gone b/gone
deleted file mode 100644
index 5626abf..0000000
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-one
`,
  'a binary patch': `diff --git a/b.bin b/b.bin
index 1..2 100644
GIT binary patch
literal 3
KcmZQz

literal 0
HcmV?d00001

`,
  'diff -uNr with time stamps': `diff -uNr old/a.c new/a.c
--- old/a.c\t2020-01-01 00:00:00.000000000 +0000
+++ new/a.c\t2020-01-02 00:00:00.000000000 +0000
@@ -1 +1 @@
-one
+two
Only in new: other
`,
  'Subversion headers': `Index: a.c
===================================================================
--- a.c\t(revision 1)
+++ a.c\t(working copy)
@@ -1 +1 @@
-one
+two
`,
  'no newline at end of file': `--- a/a
+++ b/a
@@ -1,2 +1,2 @@
 one
-two
\\ No newline at end of file
+zwei
\\ No newline at end of file
`,
  'CR LF': '--- a/a\r\n+++ b/a\r\n@@ -1,2 +1,2 @@\r\n one\r\n-two\r\n+zwei\r\n',
  'quoted and octal-escaped names': `diff --git "a/\\303\\244 b.c" "b/\\303\\244 b.c"
--- "a/\\303\\244 b.c"
+++ "b/\\303\\244 b.c"
@@ -1 +1 @@
-one
+two
`,
  'empty and tab-led context without its space':
    '--- a/a\n+++ b/a\n@@ -1,4 +1,4 @@\n one\n\n\ttabbed\n-two\n+zwei\n',
  'bytes that are no UTF-8': '--- a/a\n+++ b/a\n@@ -1 +1 @@\n-gr\xfc\xdfe\n+Gr\xfc\xdfe\n',
  'context that the counts leave out': '--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n one\n-two\n+zwei\n three\n',
  'text that only resembles headers': `a list:
--- first
--- second

+++ third
@@ -1,2 of something
---
--- a/a
+++ b/a
@@ -1 +1 @@
-one
+two
---
 a ruler
`,
  'no last line feed': '--- a/a\n+++ b/a\n@@ -1 +1 @@\n-one\n+two',
  'no patch at all': 'only text\n',
  nothing: '',
}

for (const [title, text] of Object.entries(cases)) {
  test(`what is parsed is printed byte by byte: ${title}`, (t) => {
    const patch = parsePatch(text)
    t.is(printPatch(patch), text)
    t.deepEqual(patch.problems, [])
  })
}

test('names are read from every kind of header', (t) => {
  const quoted = parsePatch(cases['quoted and octal-escaped names'] ?? '').files[0]
  t.is(quoted?.newName, 'b/\xc3\xa4 b.c')
  const stamped = parsePatch(cases['diff -uNr with time stamps'] ?? '').files[0]
  t.is(stamped?.oldName, 'old/a.c')
  const moved = parsePatch(cases['rename, copy, mode, new and deleted files'] ?? '').files
  t.deepEqual(
    moved.map(({ git }) => git?.operation),
    ['rename', 'copy', 'modify', 'create', 'delete'],
  )
  t.is(moved[2]?.git?.newMode, 0o100755)
})

const change = '--- a/a\n+++ b/a\n@@ -1 +1 @@\n-one\n+two\n'

const malformed: Readonly<Record<string, readonly [string, RegExp]>> = {
  'counts too large for its lines': ['--- a/a\n+++ b/a\n@@ -1,3 +1,9 @@\n one\n+two\n', /ends inside a hunk/],
  'gigantic counts': ['--- a/a\n+++ b/a\n@@ -1,4000000000 +1 @@\n one\n', /claims line or count/],
  'a changed line the counts leave out': [
    '--- a/a\n+++ b/a\n@@ -1 +1 @@\n-one\n+two\n+three\n',
    /counts leave out/,
  ],
  'a NUL byte': ['--- a/a\n+++ b/a\n@@ -1 +1 @@\n-one\n+t\0o\n', /NUL/],
  'an over-long line': [
    `--- a/a\n+++ b/a\n@@ -1 +1 @@\n-one\n+${'x'.repeat(1_000_001)}\n`,
    /line of \d+ bytes/,
  ],
  'a combined diff': ['@@@ -1,2 -1,2 +1,3 @@@\n', /combined/],
  'a context diff': ['*** a\n--- b\n***************\n', /context diffs/],
  'a hunk without header': ['@@ -1 +1 @@\n-a\n+b\n', /without a file header/],
  'an added line cut in the middle': [
    '--- a/a\n+++ b/a\n@@ -1,3 +1,4 @@\n one\n+new(li',
    /ends inside a hunk/,
  ],
  'a file without its hunk': [`${change}--- a/b\n+++ b/b\n`, /a file header without a hunk/],
  'a hunk header without its blank': [
    '--- a/a\n+++ b/a\n@@ -1,3 +1,4@@\n one\n+two\n',
    /a hunk header that can not be read/,
  ],
  'a second hunk header cut in the middle': [`${change}@@ -5,2 +6`, /a hunk header that can not be read/],
  'a git header cut behind its index line': [
    `${change}diff --git a/b b/b\nindex 1111111..2222222 100644\n`,
    /a git header without a change/,
  ],
  'a git header cut behind its names': [
    `${change}diff --git a/b b/b\nindex 1111111..2222222 100644\n--- a/b\n+++ b/b\n`,
    /a file header without a hunk/,
  ],
  'a git header cut in its first line': [`${change}diff --git a/b`, /ends inside a file header/],
  'a plain header cut behind its first line': [`${change}--- a/b\n`, /ends inside a file header/],
  'a mode change whose other change is missing': [
    'diff --git a/b b/b\nold mode 100644\nnew mode 100755\nindex 1111111..2222222\n',
    /names another content/,
  ],
  'a new file cut off ahead of its content': [
    'diff --git a/b b/b\nnew file mode 100644\nindex 0000000..2222222\n',
    /names another content/,
  ],
  'half a mode change': ['diff --git a/b b/b\nold mode 100644\n', /a git header without a change/],
  'a binary file beside text': [`${change}Binary files a/x and b/x differ\n`, /content of a binary file/],
}

for (const [title, [text, reason]] of Object.entries(malformed)) {
  test(`malformed: ${title}`, (t) => {
    const patch = parsePatch(text)
    t.is(patch.problems.length, 1)
    t.regex(patch.problems[0]?.reason ?? '', reason)
    t.is(printPatch(patch), text)
  })
}
