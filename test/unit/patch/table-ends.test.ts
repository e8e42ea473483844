import test from 'ava'
import { isTerminator } from '../../../src/core/patch/terminator.ts'
import { applyTo, placementOf, textAfter } from '../../helpers/patch.ts'

const terminators = [
  '{ }',
  '{ 0 }',
  '{ 0, }',
  '{ NULL }',
  '{ /* sentinel */ }',
  '{ NULL, 0 },',
  '{ "", 0 }, /* the end */',
  '{ .name = NULL },',
  '{ { 0, 0 }, NULL }',
  '{ -1, -1 }',
  'NULL',
  '{0}',
]

const entry = (name: string): string => `\t{ PCI_VDEVICE(INTEL, ${name}), board_${name} },\n`
const entries = (names: readonly string[]): string => names.map(entry).join('')
const table = (names: readonly string[], end: string): string =>
  `static const struct pci_device_id ids[] = {\n${entries(names)}\t${end}\n};\nMODULE_DEVICE_TABLE(pci, ids);\n`

const patchFor = (names: readonly string[], end: string): string => {
  const shown = names.slice(-3)
  return `--- a/ids.c\n+++ b/ids.c\n@@ -${names.length - 1},6 +${names.length - 1},7 @@ static const struct pci_device_id ids[] = {\n${[
    ...shown.map((name) => ` ${entry(name)}`),
    `+${entry('added')}`,
    ` \t${end}\n`,
    ' };\n',
    ' MODULE_DEVICE_TABLE(pci, ids);\n',
  ].join('')}`
}

const names = (word: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${word}_${at}`)

for (const end of terminators) {
  test(`the last entry ahead of a filled terminator stays last: ${end}`, (t) => {
    t.true(isTerminator(`\t${end}\n`))
    const old = names('old', 6)
    for (const count of [2, 40]) {
      const now = [...old, ...names('newer', count)]
      const result = applyTo(patchFor(old, end), { 'ids.c': table(now, end) })
      t.is(result.status, 'applied', placementOf(result).why)
      t.is(textAfter(result, 'ids.c'), table([...now, 'added'], end), `${count} entries came since`)
    }
  })
}

test('entries of data are no terminators', (t) => {
  for (const line of [
    '{ 1 }',
    '{ 0x10, 0 }',
    '{ PCI_VDEVICE(INTEL, 0) },',
    '{',
    '}',
    '},',
    '{ .driver_data = 3 }',
    'NULLED,',
  ]) {
    t.false(isTerminator(`\t${line}\n`), line)
  }
})

test('rows of zeros in the midst of a table do not end it', (t) => {
  const rows = (values: readonly number[]): string =>
    values.map((value) => `\t{ ${value}, ${value} },\n`).join('')
  const file = (values: readonly number[]): string =>
    `static const int rows[][2] = {\n${rows(values)}\t{ -1, -1 },\n};\n`
  const patch = `--- a/f.c\n+++ b/f.c\n@@ -4,4 +4,5 @@\n${rows([4, 5]).replaceAll(/^/gm, ' ').slice(0, -1)}+\t{ 99, 99 },\n \t{ -1, -1 },\n };\n`
  const result = applyTo(patch, { 'f.c': file([1, 2, 3, 4, 5, 0, 6, 0, 7]) })
  t.is(result.status, 'applied')
  t.is(textAfter(result, 'f.c'), file([1, 2, 3, 4, 5, 0, 6, 0, 7, 99]))
})
