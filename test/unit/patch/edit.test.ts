import test from 'ava'
import { dropLines, editLines } from '../../../src/core/patch/edit.ts'
import { parsePatch } from '../../../src/core/patch/parse.ts'
import { printPatch } from '../../../src/core/patch/print.ts'

const withBody = (body: readonly string[]): string =>
  `--- a/f.c
+++ b/f.c
@@ -1,2 +1,${body.length + 2} @@
 head();
${body.map((line) => `+${line}\n`).join('')} tail
@@ -20,2 +${20 + body.length},3 @@
 x
+y
 z
`

const variants: Readonly<Record<string, readonly [readonly string[], readonly string[]]>> = {
  'last operand on its own line': [
    [
      '\tif (!pci_is_pcie(dev) ||',
      '\t    pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS))',
      '\t\treturn -ENOTTY;',
    ],
    ['\tif (!pci_is_pcie(dev))', '\t\treturn -ENOTTY;'],
  ],
  'first operand': [
    [
      '\tif (pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS) ||',
      '\t    !pci_is_pcie(dev))',
      '\t\treturn -ENOTTY;',
    ],
    ['\tif (!pci_is_pcie(dev))', '\t\treturn -ENOTTY;'],
  ],
  'on one line': [
    [
      '\tif (!pci_is_pcie(dev) || pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS)) {',
      '\t\treturn -ENOTTY;',
      '\t}',
    ],
    ['\tif (!pci_is_pcie(dev)) {', '\t\treturn -ENOTTY;', '\t}'],
  ],
  'in the middle': [
    [
      '\tif (a(dev) ||',
      '\t    pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS) ||',
      '\t    b(dev))',
      '\t\treturn 0;',
    ],
    ['\tif (a(dev) ||', '\t    b(dev))', '\t\treturn 0;'],
  ],
  'in inner parentheses': [
    ['\tif (a && (b || pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS)))', '\t\treturn 0;'],
    ['\tif (a && (b))', '\t\treturn 0;'],
  ],
  'a condition of its own': [
    ['\tif (pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS))', '\t\treturn -ENOTTY;', '\tnext();'],
    ['\tnext();'],
  ],
  'a line outside any condition': [['\tint pos = find(PCI_EXT_CAP_ID_ACS);', '\tnext();'], ['\tnext();']],
}

for (const [title, [before, after]] of Object.entries(variants)) {
  test(`dropping the ACS condition leaves valid C: ${title}`, (t) => {
    t.is(printPatch(dropLines(parsePatch(withBody(before)), /PCI_EXT_CAP_ID_ACS/)), withBody(after))
  })
}

test('nothing that matches: the same bytes', (t) => {
  const text = `preamble\n${withBody(['one();'])}-- \n2.0\n`
  t.is(printPatch(dropLines(parsePatch(text), /never/)), text)
})

test('a hunk without changes left disappears, and so does its file; the preamble stays', (t) => {
  const patch = `From me\n--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@\n a\n+secret\n b\n@@ -9,2 +10,3 @@\n c\n+kept\n d\n`
  t.is(
    printPatch(dropLines(parsePatch(patch), /secret/)),
    'From me\n--- a/x\n+++ b/x\n@@ -9,2 +9,3 @@\n c\n+kept\n d\n',
  )
  t.is(printPatch(dropLines(parsePatch(patch), /secret|kept/)), 'From me\n')
})

test('a removed line that is dropped stays in the file', (t) => {
  const patch = '--- a/x\n+++ b/x\n@@ -1,3 +1,2 @@\n a\n-b\n-c\n+d\n'
  t.is(printPatch(dropLines(parsePatch(patch), /^b/)), '--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n b\n-c\n+d\n')
})

test('lines can be replaced, and context trimmed at the edges', (t) => {
  const patch = parsePatch('--- a/x\n+++ b/x\n@@ -5,4 +5,5 @@\n a\n b\n+c\n d\n e\n')
  const edited = editLines(patch, (line) => {
    if (line.text === 'c\n') return { text: 'C\n' }
    return line.text === 'a\n' || line.text === 'e\n' ? 'drop' : 'keep'
  })
  const text = printPatch(edited)
  t.is(text, '--- a/x\n+++ b/x\n@@ -6,2 +6,3 @@\n b\n+C\n d\n')
  t.is(printPatch(parsePatch(text)), text)
})
