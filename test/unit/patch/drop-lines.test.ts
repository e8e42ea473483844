import { spawnSync } from 'node:child_process'
import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import { applyPatch } from '../../../src/core/patch/apply.ts'
import { dropLines } from '../../../src/core/patch/edit.ts'
import { binaryString } from '../../../src/core/patch/lines.ts'
import { parsePatch } from '../../../src/core/patch/parse.ts'
import { needProgram, testWith } from '../../helpers/need.ts'

const acs = /PCI_EXT_CAP_ID_ACS/

/** A patch that adds `lines` to a function body that can be compiled. */
function patchAdding(lines: readonly string[], name = 'quirk.c'): string {
  const added = lines.map((line) => `+${line}\n`).join('')
  return `--- a/${name}\n+++ b/${name}\n@@ -9,2 +9,${lines.length + 2} @@\n {\n${added} \treturn 1;\n`
}

const file = [
  'struct pci_dev { int multifunction; };',
  'int pci_is_pcie(struct pci_dev *dev);',
  'int pci_find_ext_capability(struct pci_dev *dev, int cap);',
  'int pci_acs_enabled(struct pci_dev *dev, int flags);',
  '#define PCI_EXT_CAP_ID_ACS 0x0d',
  '#define ENOTTY 25',
  'extern int downstream, ids;',
  'int quirk(struct pci_dev *dev, int flags)',
  '{',
  '\treturn 1;',
  '}',
]

/** The lines that the function has after the edited patch was applied. */
function bodyAfter(lines: readonly string[], pattern = acs): readonly string[] {
  const bytes = Buffer.from(file.map((line) => `${line}\n`).join(''))
  const edited = dropLines(parsePatch(patchAdding(lines)), pattern)
  const result = applyPatch(edited, () => ({ bytes, mode: 0o100644, kind: 'file' }))
  const [state] = [...result.files.values()]
  const text = binaryString(state?.bytes ?? bytes)
  return text.split('\n').slice(9, -3)
}

function compiles(body: readonly string[]): string {
  const source = [...file.slice(0, 9), ...body, ...file.slice(9), ''].join('\n')
  const run = spawnSync('gcc', ['-fsyntax-only', '-Wall', '-Wno-parentheses', '-Werror', '-x', 'c', '-'], {
    input: source,
  })
  return run.stderr.toString()
}

interface Variant {
  readonly title: string
  readonly lines: readonly string[]
  readonly left: readonly string[]
}

const variants: readonly Variant[] = [
  {
    title: 'the last operand, on its own line',
    lines: [
      '\tif (!pci_is_pcie(dev) ||  /* Not PCIe */',
      '\t    pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS))  /* has ACS */',
      '\t\treturn -ENOTTY;',
    ],
    left: ['\tif (!pci_is_pcie(dev))  /* Not PCIe */', '\t\treturn -ENOTTY;'],
  },
  {
    title: 'the last operand of a block',
    lines: [
      '\tif (!pci_is_pcie(dev) ||',
      '\t    pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS)) {',
      '\t\treturn -ENOTTY;',
      '\t}',
    ],
    left: ['\tif (!pci_is_pcie(dev)) {', '\t\treturn -ENOTTY;', '\t}'],
  },
  {
    title: 'an operand in the middle',
    lines: [
      '\tif (!pci_is_pcie(dev) ||',
      '\t    pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS) ||',
      '\t    dev->multifunction)',
      '\t\treturn -ENOTTY;',
    ],
    left: ['\tif (!pci_is_pcie(dev) ||', '\t    dev->multifunction)', '\t\treturn -ENOTTY;'],
  },
  {
    title: 'the first operand',
    lines: [
      '\tif (pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS) || /* declares it */',
      '\t    !pci_is_pcie(dev))',
      '\t\treturn -ENOTTY;',
    ],
    left: ['\tif (!pci_is_pcie(dev))', '\t\treturn -ENOTTY;'],
  },
  {
    title: 'operators at the beginning of lines',
    lines: [
      '\tif (!pci_is_pcie(dev)',
      '\t    || pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS)',
      '\t    || dev->multifunction)',
      '\t\treturn -ENOTTY;',
    ],
    left: ['\tif (!pci_is_pcie(dev)', '\t    || dev->multifunction)', '\t\treturn -ENOTTY;'],
  },
  {
    title: 'operators at the beginning of lines, the first operand',
    lines: [
      '\tif (pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS)',
      '\t    || !pci_is_pcie(dev))',
      '\t\treturn -ENOTTY;',
    ],
    left: ['\tif (!pci_is_pcie(dev))', '\t\treturn -ENOTTY;'],
  },
  {
    title: 'all on one line',
    lines: [
      '\tif (!pci_is_pcie(dev) || pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS))',
      '\t\treturn -ENOTTY;',
    ],
    left: ['\tif (!pci_is_pcie(dev))', '\t\treturn -ENOTTY;'],
  },
  {
    title: 'a line shared with another operand',
    lines: [
      '\tif (downstream || pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS) ||',
      '\t    !pci_is_pcie(dev))',
      '\t\treturn -ENOTTY;',
    ],
    left: ['\tif (downstream ||', '\t    !pci_is_pcie(dev))', '\t\treturn -ENOTTY;'],
  },
  {
    title: 'a negated operand with its own parentheses',
    lines: [
      '\tif (pci_is_pcie(dev) &&',
      '\t    !(pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS) > 0))',
      '\t\treturn -ENOTTY;',
    ],
    left: ['\tif (pci_is_pcie(dev))', '\t\treturn -ENOTTY;'],
  },
  {
    title: 'a call over two lines',
    lines: [
      '\tif (!pci_is_pcie(dev) ||',
      '\t    pci_find_ext_capability(dev,',
      '\t\t\t\t    PCI_EXT_CAP_ID_ACS))',
      '\t\treturn -ENOTTY;',
    ],
    left: ['\tif (!pci_is_pcie(dev))', '\t\treturn -ENOTTY;'],
  },
  {
    title: 'part of a group over two lines',
    lines: [
      '\tif (!pci_is_pcie(dev) ||',
      '\t    (downstream &&',
      '\t     pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS)))',
      '\t\treturn -ENOTTY;',
    ],
    left: ['\tif (!pci_is_pcie(dev) ||', '\t    (downstream))', '\t\treturn -ENOTTY;'],
  },
  {
    title: 'a group on its own line',
    lines: [
      '\tif (!pci_is_pcie(dev) ||',
      '\t    (downstream && pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS)))',
      '\t\treturn -ENOTTY;',
    ],
    left: ['\tif (!pci_is_pcie(dev))', '\t\treturn -ENOTTY;'],
  },
  {
    title: 'the operator that binds tighter goes',
    lines: [
      '\tif (downstream ||',
      '\t    pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS) &&',
      '\t    !pci_is_pcie(dev))',
      '\t\treturn -ENOTTY;',
    ],
    left: ['\tif (downstream ||', '\t    !pci_is_pcie(dev))', '\t\treturn -ENOTTY;'],
  },
  {
    title: 'a condition of its own goes with what it guards',
    lines: [
      '\tif (!pci_is_pcie(dev))',
      '\t\treturn -ENOTTY;',
      '',
      '\tif (pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS)) {',
      '\t\tids++;',
      '\t\treturn -ENOTTY;',
      '\t}',
      '',
      '\tids--;',
    ],
    left: ['\tif (!pci_is_pcie(dev))', '\t\treturn -ENOTTY;', '', '\tids--;'],
  },
  {
    title: 'a returned expression',
    lines: [
      '\tif (downstream)',
      '\t\treturn ids ||',
      '\t\t       pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS);',
    ],
    left: ['\tif (downstream)', '\t\treturn ids;'],
  },
  {
    title: 'an else if',
    lines: [
      '\tif (downstream) {',
      '\t\tids++;',
      '\t} else if (pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS) ||',
      '\t\t   !pci_is_pcie(dev)) {',
      '\t\treturn -ENOTTY;',
      '\t}',
    ],
    left: [
      '\tif (downstream) {',
      '\t\tids++;',
      '\t} else if (!pci_is_pcie(dev)) {',
      '\t\treturn -ENOTTY;',
      '\t}',
    ],
  },
  {
    title: 'a comment line that matches goes alone',
    lines: [
      '\t/* Not PCIe. */',
      '\t/* What has PCI_EXT_CAP_ID_ACS needs no help. */',
      '\tif (!pci_is_pcie(dev) ||',
      '\t    pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS))',
      '\t\treturn -ENOTTY;',
    ],
    left: ['\t/* Not PCIe. */', '\tif (!pci_is_pcie(dev))', '\t\treturn -ENOTTY;'],
  },
  {
    title: 'a comment line between the operands stays',
    lines: [
      '\tif (!pci_is_pcie(dev) ||',
      '\t    /* it declares itself */',
      '\t    pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS))',
      '\t\treturn -ENOTTY;',
    ],
    left: ['\tif (!pci_is_pcie(dev))', '\t    /* it declares itself */', '\t\treturn -ENOTTY;'],
  },
  {
    title: 'all of a group',
    lines: [
      '\tif (!pci_is_pcie(dev) ||',
      '\t    (pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS) &&',
      '\t     pci_acs_enabled(dev, PCI_EXT_CAP_ID_ACS)) ||',
      '\t    downstream)',
      '\t\treturn -ENOTTY;',
    ],
    left: ['\tif (!pci_is_pcie(dev) ||', '\t    downstream)', '\t\treturn -ENOTTY;'],
  },
  {
    title: 'two matching operands of three',
    lines: [
      '\tif (pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS) ||',
      '\t    !pci_is_pcie(dev) ||',
      '\t    pci_acs_enabled(dev, PCI_EXT_CAP_ID_ACS))',
      '\t\treturn -ENOTTY;',
    ],
    left: ['\tif (!pci_is_pcie(dev))', '\t\treturn -ENOTTY;'],
  },
]

for (const { title, lines, left } of variants) {
  test(`--drop-lines: ${title}`, (t) => {
    t.deepEqual(bodyAfter(lines), left)
  })
}

testWith([needProgram('gcc')], '--drop-lines leaves C that compiles', (t) => {
  for (const { title, lines } of variants) {
    t.is(compiles(lines), '', `${title}: before`)
    t.is(compiles(bodyAfter(lines)), '', title)
  }
})

const refusals: readonly {
  readonly title: string
  readonly lines: readonly string[]
  readonly reason: RegExp
}[] = [
  {
    title: 'a statement that an if guards',
    lines: ['\tif (downstream)', '\t\tids = PCI_EXT_CAP_ID_ACS;'],
    reason: /guard the next statement/,
  },
  {
    title: 'the head of a block',
    lines: ['\tfor (ids = 0; ids < PCI_EXT_CAP_ID_ACS; ids++) {', '\t\tdownstream++;', '\t}'],
    reason: /unbalanced/,
  },
  {
    title: 'an argument over two lines',
    lines: ['\tids = pci_find_ext_capability(dev,', '\t\t\t\t    PCI_EXT_CAP_ID_ACS);'],
    reason: /unbalanced/,
  },
  {
    title: 'a condition with an else',
    lines: [
      '\tif (pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS))',
      '\t\treturn 0;',
      '\telse',
      '\t\treturn 1;',
    ],
    reason: /else/,
  },
  {
    title: 'all of an expression',
    lines: [
      '\tids = pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS) ||',
      '\t      pci_acs_enabled(dev,',
      '\t\t\t      PCI_EXT_CAP_ID_ACS);',
    ],
    reason: /nothing would be left/,
  },
  {
    title: 'the last line of a macro',
    lines: ['#define both(dev) \\', '\t(ids && \\', '\t PCI_EXT_CAP_ID_ACS)'],
    reason: /macro/,
  },
  {
    title: 'a comment that runs on',
    lines: [
      '\tif (downstream ||',
      '\t    pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS)) /* it',
      '\t\t\t\t    * declares itself */',
      '\t\treturn 0;',
    ],
    reason: /comment/,
  },
]

for (const { title, lines, reason } of refusals) {
  test(`--drop-lines refuses ${title}`, (t) => {
    const error = t.throws(() => bodyAfter(lines), { instanceOf: FwbuildError })
    t.is(error.code, 'E_PATCH_EDIT')
    t.regex(error.message, reason)
  })
}

test('--drop-lines refuses when the joining operator is in a line that the patch does not add', (t) => {
  const patch = `--- a/q.c
+++ b/q.c
@@ -1,3 +1,4 @@
 	if (!pci_is_pcie(dev) ||
+	    pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS) &&
 	    downstream)
 		return 0;
`
  const last = patch.replace(' &&\n', ')\n').replace(' \t    downstream)\n', '').replace('3 +1,4', '2 +1,3')
  t.is(dropLines(parsePatch(patch), acs).files.length, 0)
  t.throws(() => dropLines(parsePatch(last), acs), { message: /does not add/ })
})

test('outside of C, lines are dropped as they are', (t) => {
  const text = patchAdding(['a) PCI_EXT_CAP_ID_ACS ||', 'b)'], 'notes.txt')
  const edited = dropLines(parsePatch(text), acs)
  t.deepEqual(
    edited.files[0]?.hunks[0]?.lines.map(({ raw }) => raw),
    [' {\n', '+b)\n', ' \treturn 1;\n'],
  )
})
