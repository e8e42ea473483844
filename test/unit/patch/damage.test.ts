import { createHash } from 'node:crypto'
import test from 'ava'
import { parsePatch } from '../../../src/core/patch/parse.ts'
import { printPatch } from '../../../src/core/patch/print.ts'
import { rewritePatch } from '../../../src/core/patch/rewrite.ts'
import { applyTo, placementOf, textAfter } from '../../helpers/patch.ts'

const lf = Array.from({ length: 12 }, (_, at) => `line ${at + 1}\n`).join('')
const crlf = lf.replaceAll('\n', '\r\n')
const changeOf = (name: string): string =>
  `--- a/${name}\n+++ b/${name}\n@@ -4,3 +4,3 @@\n line 4\n-line 5\n+line five\n line 6\n`
const created = (name: string, content = '#!/bin/sh\nexit 0\n', index = ''): string =>
  `diff --git a/${name} b/${name}\nnew file mode 100755\n${index}--- /dev/null\n+++ b/${name}\n@@ -0,0 +1,2 @@\n${content.replaceAll(/^(?=.)/gm, '+')}`
const converted = (patch: string): string => patch.replaceAll('\n', '\r\n')
const blobOf = (text: string): string =>
  createHash('sha1').update(`blob ${text.length}\0${text}`, 'latin1').digest('hex').slice(0, 10)

test('converted line ends: changed and new files of a converted patch are LF where the tree is', (t) => {
  const result = applyTo(converted(changeOf('f.c') + created('files/start')), { 'f.c': lf })
  t.is(textAfter(result, 'f.c'), lf.replace('line 5', 'line five'))
  t.is(textAfter(result, 'files/start'), '#!/bin/sh\nexit 0\n')
  t.is(result.files.get('files/start')?.mode, 0o100755)
  t.regex(result.placements[0]?.mended ?? '', /converted to CR LF/)
})

test('converted line ends: they stay where the tree has them', (t) => {
  const result = applyTo(converted(changeOf('f.bat') + created('new.bat')), { 'f.bat': crlf })
  t.is(textAfter(result, 'f.bat'), crlf.replace('line 5', 'line five'))
  t.is(textAfter(result, 'new.bat'), '#!/bin/sh\r\nexit 0\r\n')
})

test('converted line ends: a new file is as its like are, and refused where none is like it', (t) => {
  const both = changeOf('f.c') + changeOf('f.bat')
  const files = { 'f.c': lf, 'f.bat': crlf }
  const result = applyTo(converted(both + created('new.bat') + created('new.c')), files)
  t.is(textAfter(result, 'new.bat'), '#!/bin/sh\r\nexit 0\r\n')
  t.is(textAfter(result, 'new.c'), '#!/bin/sh\nexit 0\n')
  const refused = applyTo(converted(both + created('other')), files)
  t.regex(refused.refusals[0]?.reason ?? '', /which line ends its new file had is not clear/)
})

test('converted line ends: the name of the blob proves what a new file was, also where nothing else is changed', (t) => {
  for (const content of ['#!/bin/sh\nexit 0\n', '#!/bin/sh\r\nexit 0\r\n']) {
    const patch = converted(created('new', undefined, `index 0000000..${blobOf(content)}\n`))
    t.is(textAfter(applyTo(patch, {}), 'new'), content)
  }
  t.is(textAfter(applyTo(converted(created('new')), {}), 'new'), '#!/bin/sh\nexit 0\n')
})

test('converted line ends: a link and a last line without line feed lose their returns, too', (t) => {
  const link =
    'diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+target\n\\ No newline at end of file\n'
  const result = applyTo(converted(changeOf('f.c') + link), { 'f.c': lf })
  t.is(textAfter(result, 'l'), 'target')
})

test('converted line ends: carriage returns of a patch that git made are its own', (t) => {
  const patch = created('new').replaceAll(/^(\+[^+].*)\n/gm, '$1\r\n')
  t.is(textAfter(applyTo(changeOf('f.c') + patch, { 'f.c': lf }), 'new'), '#!/bin/sh\r\nexit 0\r\n')
})

test('converted line ends: rewritten, the patch has LF throughout', (t) => {
  const patch = parsePatch(converted(changeOf('f.c') + created('files/start')))
  const result = applyTo(printPatch(patch), { 'f.c': lf })
  t.is(printPatch(rewritePatch(patch, result).patch), changeOf('f.c') + created('files/start'))
})

test('mixed line ends: told as such, in the file and in the patch', (t) => {
  const mixedFile = lf.replace('line 4\n', 'line 4\r\n').replace('line 6\n', 'line 6\r\n')
  const inFile = applyTo(changeOf('f'), { f: mixedFile })
  t.regex(placementOf(inFile).why, /but for its line ends: LF and CR LF mixed in the file, LF in the patch/)
  const inPatch = applyTo(
    changeOf('f').replace(' line 6\n', ' line 6\r\n').replace('-line 5\n', '-line 5\r\n'),
    { f: lf },
  )
  t.regex(placementOf(inPatch).why, /but for its line ends: LF in the file, LF and CR LF mixed in the patch/)
})

const makefile = `include rules.mk\n\nNAME\t:= demo\nLONG_NAME\t:= demo\n\nall:\n\t$(MAKE) demo\n\ninstall:\n\tcp demo /bin/demo\n\tchmod 755 /bin/demo\n\tln -s demo /bin/demo2\n\t\techo deeper\n\techo installed\n\nclean:\n\trm demo\n`
const good = `--- a/Makefile\n+++ b/Makefile\n@@ -9,6 +9,9 @@\n install:\n \tcp demo /bin/demo\n \tchmod 755 /bin/demo\n+\tstrip /bin/demo\n+\tif true; then \\\n+\t\techo yes; fi\n \tln -s demo /bin/demo2\n \t\techo deeper\n \techo installed\n`
const wanted = makefile.replace(
  '/bin/demo\n\tln',
  '/bin/demo\n\tstrip /bin/demo\n\tif true; then \\\n\t\techo yes; fi\n\tln',
)

/** Tabs as a terminal shows them, with the marker in the first column or without. */
const expanded = (patch: string, width: number, marker: 0 | 1): string =>
  patch.replaceAll(/^(?![-+@]{2})([ +-])(.*)$/gm, (_, sign: string, text: string) => {
    let out = ''
    for (const char of text) {
      const column = out.length + marker
      out += char === '\t' ? ' '.repeat(width - (column % width)) : char
    }
    return sign + out
  })

const damages: Readonly<Record<string, string>> = {
  'tabs became blanks up to stops, the marker counted': expanded(good, 8, 1),
  'tabs became blanks up to stops': expanded(good, 8, 0),
  'tabs became four blanks each': good.replaceAll('\t', '    '),
  'tabs became two blanks each': good.replaceAll('\t', '  '),
  'tabs became eight non-breaking spaces each': good.replaceAll('\t', '\xc2\xa0'.repeat(8)),
  'blanks became non-breaking': good
    .replaceAll(/(?<=\S) (?=\S)/g, '\xc2\xa0')
    .replaceAll(/^(---|\+\+\+|@@.*)\xc2\xa0/gm, '$1 ')
    .replace(/^@@.*/m, (head) => head.replaceAll('\xc2\xa0', ' ')),
  'blanks became non-breaking ones of Latin-1': good
    .replaceAll('cp demo', 'cp\xa0demo')
    .replaceAll('strip /', 'strip\xa0/'),
  'a blank of no width got in': good
    .replaceAll('strip', '\xe2\x80\x8bstrip')
    .replaceAll('chmod', '\xe2\x80\x8bchmod'),
}

for (const [title, patch] of Object.entries(damages)) {
  test(`damaged white space: ${title}: given back to the added lines`, (t) => {
    const result = applyTo(patch, { Makefile: makefile })
    t.deepEqual(result.refusals, [])
    t.is(textAfter(result, 'Makefile'), wanted)
    t.regex(result.placements[0]?.mended ?? '', /which was undone/)
    const again = applyTo(patch, { Makefile: wanted })
    t.is(again.status, 'already-applied', 'it is known again where it was applied')
    const back = applyTo(patch, { Makefile: wanted }, { reverse: true })
    t.is(textAfter(back, 'Makefile'), makefile)
  })
  test(`damaged white space: ${title}: in a file that drifted, too`, (t) => {
    const drift = (text: string): string =>
      `# new\n# head\n${text}`.replace('\tln -s demo /bin/demo2\n', '\tln -sf demo /bin/demo2\n')
    const result = applyTo(patch, { Makefile: drift(makefile) })
    t.deepEqual(result.refusals, [])
    t.is(textAfter(result, 'Makefile'), drift(wanted))
  })
}

test('damaged white space: blanks at line ends that were cut off are taken from the file', (t) => {
  const file = makefile.replace('chmod 755 /bin/demo\n', 'chmod 755 /bin/demo  \n')
  t.is(
    textAfter(applyTo(good, { Makefile: file }), 'Makefile'),
    wanted.replace('chmod 755 /bin/demo\n', 'chmod 755 /bin/demo  \n'),
  )
  const removal =
    '--- a/Makefile\n+++ b/Makefile\n@@ -10,3 +10,2 @@\n \tcp demo /bin/demo\n-\tchmod 755 /bin/demo\n \tln -s demo /bin/demo2\n'
  t.is(
    textAfter(applyTo(removal, { Makefile: file }), 'Makefile'),
    makefile.replace('\tchmod 755 /bin/demo\n', ''),
  )
})

test('damaged white space: doubled blanks', (t) => {
  const yaml = 'a:\n  b: 1\n  c:\n    d: 2\n    e: 3\n  f: 4\n'
  const patch = '--- a/y\n+++ b/y\n@@ -2,4 +2,5 @@\n   b: 1\n   c:\n     d: 2\n+    x: 9 9\n     e: 3\n'
  const doubled = patch.replaceAll(
    /^([ +])(.*:.*)$/gm,
    (_, sign: string, text: string) => sign + text.replaceAll(' ', '  '),
  )
  t.is(textAfter(applyTo(doubled, { y: yaml }), 'y'), yaml.replace('    e', '    x: 9 9\n    e'))
})

const unclear: Readonly<Record<string, string>> = {
  'runs of blanks that became one': good.replaceAll(/(?<=^[ +])[\t ]+/gm, ' '),
  'indentation that is gone': good.replaceAll(/(?<=^[ +])[\t ]+/gm, ''),
  'tabs of no rule': good.replaceAll('\t\t', '         ').replaceAll('\t', '     '),
}

for (const [title, patch] of Object.entries(unclear)) {
  test(`damaged white space: ${title}: refused by name`, (t) => {
    const result = applyTo(patch, { Makefile: makefile })
    t.is(result.status, 'refused')
    t.regex(result.refusals[0]?.reason ?? '', /white space/)
  })
}

test('damaged white space: a run inside of an added line that may have been a tab or blanks is refused', (t) => {
  const patch = expanded(
    `--- a/Makefile\n+++ b/Makefile\n@@ -10,2 +10,3 @@\n \tcp demo /bin/demo\n+\tcol\t# x\n \tchmod 755 /bin/demo\n`,
    8,
    0,
  )
  const result = applyTo(patch, { Makefile: makefile })
  t.regex(result.refusals[0]?.reason ?? '', /its tabs had become blanks, and what .* was is not clear/)
})

test('damaged white space: tabs inside of lines come back where the file’s like lines have them', (t) => {
  const patch = expanded(
    `--- a/Makefile\n+++ b/Makefile\n@@ -3,3 +3,4 @@\n NAME\t:= demo\n LONG_NAME\t:= demo\n+FOO_X\t:= 1\n \n`,
    8,
    0,
  )
  t.is(
    textAfter(applyTo(patch, { Makefile: makefile }), 'Makefile'),
    makefile.replace('LONG_NAME\t:= demo\n', 'LONG_NAME\t:= demo\nFOO_X\t:= 1\n'),
  )
})

test('damaged white space: a single blank where a tab would end, among tabs inside of lines, is refused', (t) => {
  const patch = expanded(
    `--- a/Makefile\n+++ b/Makefile\n@@ -3,3 +3,4 @@\n NAME\t:= demo\n LONG_NAME\t:= demo\n+VERSION\t:= 1\n \n`,
    8,
    0,
  )
  t.regex(applyTo(patch, { Makefile: makefile }).refusals[0]?.reason ?? '', /"VERSION := 1" was is not clear/)
})

test('damaged white space: a new file of a damaged patch is as its blob says, or as its like; else refused', (t) => {
  const rule = 'x:\n\ttouch x\n'
  const both = (name: string, index = ''): string => expanded(good + created(name, rule, index), 8, 1)
  const tree = { Makefile: makefile }
  t.is(textAfter(applyTo(both('sub/Makefile'), tree), 'sub/Makefile'), rule)
  t.is(textAfter(applyTo(both('x.txt', `index 0000000..${blobOf(rule)}\n`), tree), 'x.txt'), rule)
  const flat = 'x:\n       touch x\n'
  t.is(textAfter(applyTo(both('x.txt', `index 0000000..${blobOf(flat)}\n`), tree), 'x.txt'), flat)
  t.regex(applyTo(both('x.txt'), tree).refusals[0]?.reason ?? '', /white space of the patch was damaged/)
})

test('damaged white space: seven blanks for each tab, which is no tab stop where two stand together', (t) => {
  const patch = good.replaceAll('\t', '       ')
  t.is(textAfter(applyTo(patch, { Makefile: makefile }), 'Makefile'), wanted)
})

test('damaged white space: a file of the patch that has blanks of its own keeps them', (t) => {
  const python = 'def f():\n        one()\n        two()\n        three()\n'
  const hunk =
    '--- a/x.py\n+++ b/x.py\n@@ -2,3 +2,4 @@\n         one()\n         two()\n+        new()\n         three()\n'
  const result = applyTo(expanded(good, 8, 0) + hunk, { Makefile: makefile, 'x.py': python })
  t.deepEqual(result.refusals, [])
  t.is(textAfter(result, 'Makefile'), wanted)
  t.is(textAfter(result, 'x.py'), python.replace('        three', '        new()\n        three'))
})

test('a list without tabs of which one line was aligned anew is drift, not damage', (t) => {
  const list = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `obj-$(CONFIG_${name}) += ${name}.o\n`)
  const patch = `--- a/Makefile\n+++ b/Makefile\n@@ -1,6 +1,7 @@\n ${list.slice(0, 3).join(' ')}+obj-$(CONFIG_new) += new.o\n ${list.slice(3).join(' ')}`
  const now = list.with(1, 'obj-$(CONFIG_b)\t\t+= b.o\n')
  const result = applyTo(patch, { Makefile: now.join('') })
  t.is(textAfter(result, 'Makefile'), now.toSpliced(3, 0, 'obj-$(CONFIG_new) += new.o\n').join(''))
})

test('a file that was indented anew in part is drift, not damage', (t) => {
  const file = makefile.replace('\tln -s', '\t\tln -s')
  const result = applyTo(good, { Makefile: file })
  t.is(textAfter(result, 'Makefile'), wanted.replace('\tln -s', '\t\tln -s'))
  t.is(result.placements[0]?.mended, undefined)
})

test('context that differs in white space alone is refused, and taken with low confidence by --best-effort', (t) => {
  const file = makefile.replaceAll('\t', '\t\t')
  const refused = applyTo(good, { Makefile: file })
  t.regex(placementOf(refused).why, /white space/)
  const taken = applyTo(good, { Makefile: file }, { bestEffort: true })
  t.is(placementOf(taken).confidence, 'low')
  t.regex(placementOf(taken).why, /low confidence: .*white space/)
})

test('what is told of a damaged patch steers no terminal', (t) => {
  const patch = `--- a/f\n+++ b/f\n@@ -1,9 +1,9 @@ \x1b[2J${'x'.repeat(500)}\n one\n-two\n+2\n three\n`
  const reason = parsePatch(patch).problems[0]?.reason ?? ''
  t.notRegex(reason, /\p{Cc}/u)
  t.true(reason.length < 700)
})
