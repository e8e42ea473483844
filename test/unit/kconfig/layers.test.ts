import { readFileSync } from 'node:fs'
import test from 'ava'
import { parseFragment } from '../../../src/core/kconfig/fragment.ts'
import { mergeFragments } from '../../../src/core/kconfig/merge.ts'
import { evaluate } from '../../../src/core/kconfig/tree/evaluate.ts'
import { fixtureTree } from '../../helpers/kconfig.ts'
import { randomLayers } from '../../helpers/layers.ts'

// Written by merge_config.sh -m and conf --olddefconfig of Linux 6.1 (older choice model) and 6.12 (newer one):
// one line a seed. test/integration/kconfig/layers.test.ts asks them again.
const folder = 'test/fixtures/kconfig-layers'
for (const model of ['symbol', 'menu'] as const)
  test(`order of layers in a choice: random fragments give what merge_config.sh and conf give, ${model} model`, (t) => {
    const tree = fixtureTree(folder, model)
    const expected = readFileSync(`${folder}/expected.${model}`, 'utf8').trimEnd().split('\n')
    t.true(expected.length >= 100)
    for (const [seed, line] of expected.entries()) {
      const layers = randomLayers(tree, seed).map((text, index) => ({
        assignments: parseFragment(text, String(index)).groups.flatMap((group) => group.assignments),
        literal: true,
      }))
      const merged = mergeFragments(layers).assignments
      const values = new Map(merged.map(({ symbol, value }) => [symbol, value]))
      const ours = [...evaluate(tree, { values }).values]
        .map(([symbol, value]) => `${symbol}=${value}`)
        .join(' ')
      t.is(ours, line, `seed ${seed}`)
    }
  })
