import { createTwoFilesPatch } from 'diff'
import test from 'ava'
import { applyTo, numbered, placementOf, textAfter } from '../../helpers/patch.ts'

/** A patch as `diff -up` writes it, with the section texts given. */
const patchOf = (before: string, after: string, ...sections: readonly string[]): string => {
  const rest = [...sections]
  const text = createTwoFilesPatch('a/f.c', 'b/f.c', before, after, undefined, undefined, { context: 3 })
  return text.replace(/^=+\n/, '').replaceAll(/^(@@ .* @@)$/gm, (head) => {
    const section = rest.shift()
    return section === undefined ? head : `${head} ${section}`
  })
}

const body = (name: string, middle: string): string =>
  `static int ${name}(void)\n{\n\tclk();\n\treset();\n\tstart();\n${middle}\tlog();\n\treturn 0;\n}\n\n`

test('an exact place at the named line is taken although a label precedes it', (t) => {
  const part = '\tlock();\n\tstop();\n\tclear();\n\tunlock();\n\n'
  const file = `static int a(void)\n{\n\tint ret;\n\n${part}\tret = b();\n\tif (ret)\n\t\tgoto out;\n\treturn 0;\nout:\n\tc();\n\tdump();\n\n${part}\treturn ret;\n}\n`
  const at = file.lastIndexOf('\tclear();\n')
  const changed = `${file.slice(0, at)}\tadded();\n${file.slice(at)}`
  const patch = patchOf(file, changed, 'static int a(void)')
  t.is(placementOf(applyTo(patch, { 'f.c': file })).status, 'exact')
  t.is(textAfter(applyTo(patch, { 'f.c': file }), 'f.c'), changed)
  t.is(applyTo(patch, { 'f.c': changed }).status, 'already-applied')
})

test('a patch applies to the file it was made of, however often its text repeats there', (t) => {
  const entry = '\t{\n\t\t.x = 1,\n\t},\n'
  const lines = entry.repeat(12).split('\n')
  const changed = lines.toSpliced(17, 0, '\t\t.y = 2,').join('\n')
  const patch = patchOf(lines.join('\n'), changed)
  t.is(textAfter(applyTo(patch, { 'f.c': lines.join('\n') }), 'f.c'), changed)
})

test('an insertion at the top is known when it is there', (t) => {
  const file = numbered(1, 10)
  const patch = patchOf(file, `zero\n${file}`)
  t.is(applyTo(patch, { 'f.c': `zero\n${file}` }).status, 'already-applied')
})

test('what stands in another function does not make a deletion, or an insertion, already applied', (t) => {
  const quirk = '\tquirk(1);\n\tfinish();\n'
  const removed = patchOf(
    body('alpha', quirk) + body('beta', '\tfinish();\n'),
    body('alpha', '\tfinish();\n') + body('beta', '\tfinish();\n'),
    'static int alpha(void)',
  )
  const edited = body('alpha', quirk.replace('1', '2')) + body('beta', '\tfinish();\n')
  t.is(applyTo(removed, { 'f.c': edited }).status, 'refused')
  const added = patchOf(
    body('alpha', '\tfinish();\n') + body('beta', quirk),
    body('alpha', quirk) + body('beta', quirk),
    'static int alpha(void)',
  )
  const other = body('alpha', '\tfinish(1);\n') + body('beta', quirk)
  t.is(applyTo(added, { 'f.c': other }).status, 'refused')
})

test('a removed line that was edited is not taken from the next function', (t) => {
  const f = (name: string, call: string): string =>
    `static int ${name}(void)\n{\n\t${name}_clk();\n\t${name}_reset();\n\tret = ${call};\n\tif (ret)\n\t\tgoto ${name}_err;\n\t${name}_end();\n}\n\n`
  const before = f('alpha', 'setup(d)') + f('beta', 'other(d)')
  const file = f('alpha', 'setup(d, 0)') + f('beta', 'setup(d)')
  for (const sections of [['static int alpha(void)'], []]) {
    const patch = patchOf(before, f('alpha', 'setup(d) ?: -EIO') + f('beta', 'other(d)'), ...sections)
    t.is(applyTo(patch, { 'f.c': file }).status, 'refused')
  }
})

const probe = (name: string, start = 'soc_start(d)', irq = 'dev_irq(d)'): string =>
  `static int ${name}_probe(struct dev *d)\n{\n\tint ret;\n\n\tret = clk(d);\n\tif (ret)\n\t\treturn ret;\n\tsoc_reset(d);\n\t${start};\n\t${irq};\n\treturn 0;\n}\n\n`

test('the same text in another function than the one named is refused while that one is there', (t) => {
  const patch = patchOf(
    probe('alpha') + probe('beta'),
    probe('alpha', 'soc_start_new(d)') + probe('beta'),
    'static int alpha_probe(struct dev *d)',
  )
  const file = probe('alpha', 'soc_start(d, 0)') + probe('beta')
  t.is(applyTo(patch, { 'f.c': file }).status, 'refused')
})

test('without section text, a copy elsewhere does not win over the named line with one edited', (t) => {
  const patch = patchOf(
    probe('alpha') + probe('beta'),
    probe('alpha').replace('\tsoc_start', '\tquirk(d);\n\tsoc_start') + probe('beta'),
  )
  const file = probe('alpha', 'soc_start(d)', 'dev_irq2(d)') + probe('beta')
  const result = applyTo(patch, { 'f.c': file })
  t.is(result.status, 'refused')
  t.deepEqual(
    placementOf(result).candidates.map(({ line }) => line),
    [22, 9],
  )
})

test('a function made for the end of the file does not go behind what ends a condition or a program', (t) => {
  const last = (name: string): string => `int ${name}(void)\n{\n\treturn ${name}_value;\n}\n`
  const file = `${last('one')}\n${last('two')}`
  const patch = patchOf(file, `${file}\n${last('three')}`)
  t.is(applyTo(patch, { 'f.c': `#ifdef CONFIG_X\n${file}#endif\n` }).status, 'refused')
  t.is(applyTo(patch, { 'f.c': `#!/bin/sh\n${file}exit 0\n` }).status, 'refused')
  const grown = `${file}\n${last('other')}`
  t.is(textAfter(applyTo(patch, { 'f.c': grown }), 'f.c'), `${grown}\n${last('three')}`)
})

test('what stands there already is not added a second time beside context that was edited', (t) => {
  const head = 'static int probe(struct dev *d)\n{\n\tclk_on(d);\n\treset(d);\n\tstart(d);\n'
  const tail = '}\nEXPORT_SYMBOL(probe);\n'
  const patch = patchOf(`${head}${tail}`, `${head}\tquirk(d);\n\tdelay(d, 10);\n${tail}`)
  const edited = `${head}\tquirk(d);\n\tdelay(d, 10);\n${tail.replace('SYMBOL', 'SYMBOL_GPL')}`
  t.is(applyTo(patch, { 'f.c': edited }).status, 'refused')
})

test('lines deleted at an end of the file are not gone while others stand there', (t) => {
  const kept = 'obj-y += a.o\nobj-y += b.o\nobj-y += c.o\nobj-y += d.o\n'
  const last = patchOf(`${kept}obj-y += old.o\n`, kept)
  t.is(applyTo(last, { 'f.c': `${kept}obj-y += old.o new.o\n` }).status, 'refused')
  t.is(applyTo(last, { 'f.c': kept }).status, 'already-applied')
  const first = patchOf(`obj-y += old.o\n${kept}`, kept)
  t.is(applyTo(first, { 'f.c': `obj-y += old.o new.o\n${kept}` }).status, 'refused')
  t.is(applyTo(first, { 'f.c': kept }).status, 'already-applied')
})

test('a copy above the function that the patch names does not take its place', (t) => {
  const f = (name: string, call = 'setup(d)'): string =>
    `static int ${name}(void)\n{\n\tclk(d);\n\treset(d);\n\tret = ${call};\n\tif (ret)\n\t\treturn ret;\n\tlog(d);\n\treturn 0;\n}\n\n`
  const patch = patchOf(f('rx_open'), f('rx_open', 'setup(d, 1)'), 'static int rx_open(void)')
  const copied = f('tx_open') + f('rx_open', 'setup2(d)')
  t.is(applyTo(patch, { 'f.c': copied }).status, 'refused')
})

test('a twin with edited context is not taken for the function that the patch names', (t) => {
  const f = (name: string, call: string, stop = `${name}_stop(d)`): string =>
    `static int ${name}_set(void)\n{\n\tmask(d);\n\tclear(d);\n\tval = ${call};\n\tflush(d);\n\tsync(d);\n\t${stop};\n}\n\n`
  const patch = patchOf(
    numbered(1, 9) + f('tx', 'read(d)'),
    numbered(1, 9) + f('tx', 'read(d) | 1'),
    'static int tx_set(void)',
  )
  const file = numbered(1, 9) + f('tx', 'read2(d)') + f('rx', 'read(d)').replace('\tsync(d);\n', '')
  t.is(applyTo(patch, { 'f.c': file }).status, 'refused')
})
