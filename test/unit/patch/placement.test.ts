import test from 'ava'
import { applyTo, numbered, placementOf, textAfter } from '../../helpers/patch.ts'

const insert = (lead: string, added: string, trail: string, at = 10, section = ''): string => {
  const rows = (text: string, mark: string): string =>
    text
      .replaceAll(/^(?=.|\n)/gm, mark)
      .replaceAll(new RegExp(`^${mark === '+' ? '\\+' : mark}$(?![\\s\\S])`, 'gm'), '')
  const count = (text: string): number => text.split('\n').length - 1
  const old = count(lead) + count(trail)
  return `--- a/f\n+++ b/f\n@@ -${at},${old} +${at},${old + count(added)} @@${section}\n${rows(lead, ' ')}${rows(added, '+')}${rows(trail, ' ')}`
}

test('a context line that was edited word by word is recognised', (t) => {
  const patch = insert(numbered(10, 12), 'added();\n', numbered(13, 15))
  const file = numbered(1, 30).replace('statement_12(device);', 'statement_12(device, 0);')
  const result = applyTo(patch, { f: file })
  t.is(placementOf(result).status, 'fuzz')
  t.is(placementOf(result).fuzz, 1)
  t.is(textAfter(result, 'f'), file.replace('statement_13', 'added();\nstatement_13'))
})

test('a line between two list entries where a third was put is refused with both candidates', (t) => {
  const patch = insert(
    'obj-a += a.o\nobj-b += b.o\nobj-d += d.o\n',
    'obj-e += e.o\n',
    'obj-m += m.o\nobj-n += n.o\nobj-o += o.o\n',
  )
  const file = `${numbered(1, 9)}obj-a += a.o\nobj-b += b.o\nobj-d += d.o\nobj-x += x.o\nobj-m += m.o\nobj-n += n.o\nobj-o += o.o\n`
  const result = applyTo(patch, { f: file })
  t.is(result.status, 'refused')
  t.deepEqual(
    placementOf(result)
      .candidates.map(({ line }) => line)
      .toSorted((a, b) => a - b),
    [13, 14],
  )
  const best = applyTo(patch, { f: file }, { bestEffort: true })
  t.is(best.status, 'applied')
  t.is(placementOf(best).confidence, 'low')
})

test('what was last in its block stays last', (t) => {
  const patch = insert('struct s {\n\tint one;\n\tint two;\n', '\tint four;\n', '};\n\nint tail(void);\n')
  const file = 'struct s {\n\tint one;\n\tint two;\n\tint three;\n};\n\nint tail(void);\n'
  t.is(textAfter(applyTo(patch, { f: file }), 'f'), file.replace('};', '\tint four;\n};'))
})

test('among equal places the one in the section named by the hunk is taken', (t) => {
  const body = '\tlock(dev);\n\tstart(dev);\n\tunlock(dev);\n'
  const f = (name: string): string => `int ${name}(void)\n{\n${body}}\n\n`
  const file = f('first') + numbered(1, 40) + f('second')
  const patch = `--- a/f\n+++ b/f\n@@ -10,2 +10,3 @@ int second(void)\n \tlock(dev);\n+\tadded(dev);\n \tstart(dev);\n`
  const text = textAfter(applyTo(patch, { f: file }), 'f') ?? ''
  t.true(text.indexOf('added') > text.indexOf('second'))
})

test('equal places without a sign for either are refused', (t) => {
  const part = '\tlock(dev);\n\tstart(dev);\n\tunlock(dev);\n'
  const patch = `--- a/f\n+++ b/f\n@@ -30,2 +30,3 @@\n \tlock(dev);\n+\tadded(dev);\n \tstart(dev);\n`
  const file = numbered(1, 20) + part + numbered(21, 33) + part + numbered(34, 60)
  t.is(applyTo(patch, { f: file }).status, 'refused')
})

test('a removed line must stand as it is', (t) => {
  const patch = `--- a/f\n+++ b/f\n@@ -10,3 +10,3 @@\n statement_10(device);\n-statement_11(device);\n+changed();\n statement_12(device);\n`
  const file = numbered(1, 30).replace('statement_11(device)', 'statement_11(device, 1)')
  t.is(applyTo(patch, { f: file }).status, 'refused')
})

test('lines to be removed that stand twice within the context are refused', (t) => {
  const patch = '--- a/f\n+++ b/f\n@@ -2,4 +2,4 @@\n config A\n-\ttristate\n+\ttristate "A"\n \n config B\n'
  const file = `first\nconfig A\n\ttristate\n\nconfig X\n\ttristate\n\nconfig B\n`
  t.is(applyTo(patch, { f: file }).status, 'applied')
  const torn = 'first\nconfig A\n\tbool\n\ttristate\n\n\tbool\n\ttristate\n\nconfig B\n'
  t.is(applyTo(patch, { f: torn }).status, 'refused')
})

test('a hunk made for the end of the file is not silently put amid it', (t) => {
  const patch = insert(numbered(8, 10), 'appended(device);\n', '', 8)
  t.is(placementOf(applyTo(patch, { f: numbered(1, 10) })).status, 'exact')
  t.is(applyTo(patch, { f: numbered(1, 12) }).status, 'refused')
})

test('hunks keep their order', (t) => {
  const hunk = (at: number, add: string): string =>
    `@@ -${at},3 +${at},4 @@\n \tlock(dev);\n \tstart(dev);\n+\t${add}(dev);\n \tunlock(dev);\n`
  const part = '\tlock(dev);\n\tstart(dev);\n\tunlock(dev);\n'
  const file = numbered(1, 9) + part + numbered(10, 40) + part + numbered(41, 50)
  const result = applyTo(`--- a/f\n+++ b/f\n${hunk(10, 'one')}${hunk(44, 'two')}`, { f: file })
  const text = textAfter(result, 'f') ?? ''
  t.true(text.indexOf('one(') < text.indexOf('statement_10('))
  t.true(text.indexOf('two(') > text.indexOf('statement_40('))
})

test('a refused hunk is placed by way of the file that the patch was made for', (t) => {
  const part = '\tlock(dev);\n\tstart(dev);\n\tunlock(dev);\n'
  const base = numbered(1, 20) + part + numbered(21, 33) + part + numbered(34, 60)
  const patch = `diff --git a/f b/f\nindex 1234567..89abcde 100644\n--- a/f\n+++ b/f\n@@ -37,2 +37,3 @@\n \tlock(dev);\n+\tadded(dev);\n \tstart(dev);\n`
  const now = base.replace('statement_3(device);\n', 'a();\nb();\nc();\nd();\ne();\nf();\ng();\nh();\n')
  t.is(applyTo(patch, { f: now }).status, 'refused')
  const result = applyTo(
    patch,
    { f: now },
    { readBlob: (id) => (id === '1234567' ? Buffer.from(base) : undefined) },
  )
  t.is(result.status, 'applied')
  t.regex(placementOf(result).why, /three-way/)
  t.true((textAfter(result, 'f') ?? '').includes('statement_33(device);\n\tlock(dev);\n\tadded(dev);\n'))
})
