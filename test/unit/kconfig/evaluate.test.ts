import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { configLine, parseDotConfig } from '../../../src/core/kconfig/dot-config.ts'
import { evaluate } from '../../../src/core/kconfig/tree/evaluate.ts'
import { fixtureTree, kconfig } from '../../helpers/kconfig.ts'

// `expected` was written by the conf of Linux 6.1 (older choice model) and 6.12 (newer one);
// where they differ, or only one takes the language, the file says for which.
const root = 'test/fixtures/kconfig'
for (const name of readdirSync(root).sort())
  for (const model of ['symbol', 'menu'] as const) {
    const folder = join(root, name)
    const expected = [`expected.${model}`, 'expected']
      .map((file) => join(folder, file))
      .find((file) => existsSync(file))
    if (expected === undefined) continue
    test(`fixture ${name}, ${model} model`, (t) => {
      const config = parseDotConfig(readFileSync(join(folder, 'config'), 'utf8'), `${name}/config`)
      const ours = [...evaluate(fixtureTree(folder, model), config).values].map(([symbol, value]) =>
        configLine(symbol, value),
      )
      t.deepEqual(ours.sort(), readFileSync(expected, 'utf8').trimEnd().split('\n').sort())
    })
  }

test('what the tree says by warning-if and info is kept, with its place', (t) => {
  const tree = fixtureTree(join(root, 'macros'), 'menu')
  t.deepEqual(tree.messages, ['Kconfig:21: only said'])
})

test('without modules every tristate is a bool and m is n in conditions', (t) => {
  const tree = kconfig('config A\n\ttristate "A"\n\nconfig B\n\tbool "B"\n\tdefault y\n\tdepends on m\n')
  const off = { ...tree, modules: undefined }
  const values = evaluate(off, { values: new Map([['A', 'm']]) }).values
  t.is(values.get('A'), 'y')
})

test('menus, prompts and positions are kept for explanations', (t) => {
  const tree = fixtureTree(join(root, 'menus'), 'menu')
  t.is(tree.root.prompt, 'Menus')
  const leaf = tree.byName.get('LEAF')
  t.deepEqual(leaf?.nodes[0]?.origin, { file: 'Kconfig', line: 34 })
  t.is(leaf?.nodes[0]?.parent?.kind, 'if')
})

test('before 4.18 a text takes the values of environment symbols', (t) => {
  const tree = fixtureTree(join(root, 'legacy'), 'symbol')
  const symbol = tree.byName.get('DEFCONFIG_LIST')
  const config = evaluate(tree, { values: new Map() })
  t.is(symbol === undefined ? '' : config.text(symbol), 'arch/box/defconfig')
})

test('OpenWrt refuses a select whose target has unmet dependencies', (t) => {
  const tree = kconfig(
    'config A\n\tbool "A"\n\tselect B\n\nconfig B\n\tbool "B"\n\tdepends on C\n\nconfig C\n\tbool "C"\n',
  )
  const wanted = { values: new Map([['A', 'y']]) }
  t.is(evaluate(tree, wanted).values.get('B'), 'y')
  t.is(evaluate({ ...tree, unmetSelects: 'refused' }, wanted).values.get('B') ?? 'n', 'n')
})
