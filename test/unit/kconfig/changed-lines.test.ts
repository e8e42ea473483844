import test from 'ava'
import { assert, constantFrom, property, record } from 'fast-check'
import { changedLines, differingNames } from '../../../src/core/kconfig/changed-lines.ts'
import { evaluate } from '../../../src/core/kconfig/tree/evaluate.ts'
import type { ChoiceModel, KconfigTree } from '../../../src/core/kconfig/tree/model.ts'
import { readKconfigTree } from '../../../src/core/kconfig/tree/parser.ts'

type Values = ReadonlyMap<string, string>

const source = `
config MODULES
	bool "modules"
	default y
	modules

config BUS
	bool "bus"

config DRIVER
	tristate "driver"
	depends on BUS
	select LIBRARY
	imply EXTRA

config LIBRARY
	tristate

config EXTRA
	tristate "extra"
	depends on BUS

config FOLLOWS
	bool "follows the bus"
	default BUS

config HIDDEN
	bool "seen without the bus"
	depends on !BUS
	default y

config COUNT
	int "count"
	depends on BUS
	range 1 9
	default 4

config MASK
	hex "mask"
	default 0x10 if BUS
	default 0x20

config LABEL
	string "label"
	default "bus" if BUS
	default "none"

choice
	prompt "speed"
	default SLOW

config SLOW
	bool "slow"

config FAST
	bool "fast"

config FASTEST
	bool "fastest"
	depends on BUS
endchoice
`

const read = (choiceModel: ChoiceModel): KconfigTree =>
  readKconfigTree(
    'Kconfig',
    { readFile: () => source, glob: () => [], env: () => undefined, shell: () => '' },
    choiceModel,
  )
const trees = { menu: read('menu'), symbol: read('symbol') } as const

const values = (...lines: readonly (readonly [string, string])[]): Values => new Map(lines)
const complete = (tree: KconfigTree, config: Values): Values => evaluate(tree, { values: config }).values
/** Layers as kconfig.pl puts them: sorted by name. */
const over = (base: Values, lines: Values): Values =>
  new Map([...base, ...lines].sort(([a], [b]) => (a < b ? -1 : 1)))

function linesFor(tree: KconfigTree, base: Values, choices: Values): Values {
  const wanted = complete(tree, over(base, choices))
  const found = changedLines({ tree, wanted, merge: (lines) => over(base, lines) })
  return found.lines
}

test('what follows by itself is not among the lines', (t) => {
  const lines = linesFor(trees.menu, values(), values(['BUS', 'y'], ['DRIVER', 'y']))
  t.deepEqual(
    [...lines],
    [
      ['BUS', 'y'],
      ['DRIVER', 'y'],
    ],
  )
})

test('switching something off again needs only that line', (t) => {
  const base = values(['BUS', 'y'], ['DRIVER', 'm'], ['COUNT', '7'])
  t.deepEqual([...linesFor(trees.menu, base, values(['BUS', 'n']))], [['BUS', 'n']])
  t.deepEqual([...linesFor(trees.menu, base, values(['COUNT', '4']))], [['COUNT', '4']])
})

test('nothing changed, nothing to say', (t) => {
  const base = values(['BUS', 'y'], ['FAST', 'y'])
  t.deepEqual([...linesFor(trees.menu, base, values())], [])
})

test('a value hidden in the layers below is overruled when it comes to light', (t) => {
  // COUNT=9 has no effect while BUS is off; a menu that was never told of it shows the default.
  const base = values(['COUNT', '9'])
  const wanted = complete(trees.menu, values(['BUS', 'y']))
  const { lines } = changedLines({ tree: trees.menu, wanted, merge: (more) => over(base, more) })
  t.deepEqual(
    [...lines],
    [
      ['BUS', 'y'],
      ['COUNT', '4'],
    ],
  )
})

test('a layer above that says otherwise is told, not papered over', (t) => {
  const wanted = complete(trees.menu, values(['BUS', 'y']))
  const merge = (lines: Values): Values => over(lines, values(['BUS', 'n']))
  const { lines, unreachable } = changedLines({ tree: trees.menu, wanted, merge })
  t.is(lines.size, 0)
  t.true(unreachable.includes('BUS'))
})

const state = constantFrom('y', 'm', 'n')
const configuration = record(
  {
    MODULES: constantFrom('y', 'n'),
    BUS: constantFrom('y', 'n'),
    DRIVER: state,
    EXTRA: state,
    FOLLOWS: constantFrom('y', 'n'),
    HIDDEN: constantFrom('y', 'n'),
    COUNT: constantFrom('1', '4', '9', '50'),
    MASK: constantFrom('0x10', '0x20', '0x3f'),
    LABEL: constantFrom('""', '"bus"', '"a \\"b\\""'),
    SLOW: constantFrom('y', 'n'),
    FAST: constantFrom('y', 'n'),
    FASTEST: constantFrom('y', 'n'),
  },
  { requiredKeys: [] },
).map((chosen): Values => new Map(Object.entries(chosen)))

for (const model of ['menu', 'symbol'] as const) {
  test(`${model} choices: the lines reproduce any configuration exactly, and none can be left out`, (t) => {
    const tree = trees[model]
    assert(
      property(configuration, configuration, (base, target) => {
        const wanted = complete(tree, target)
        const merge = (lines: Values): Values => over(base, lines)
        const { lines, unreachable } = changedLines({ tree, wanted, merge })
        if (unreachable.length > 0) return false
        const reached = (some: Values): boolean =>
          differingNames(complete(tree, merge(some)), wanted).length === 0
        const fewer = [...lines.keys()].map((name) => new Map([...lines].filter(([other]) => other !== name)))
        return reached(lines) && !fewer.some(reached)
      }),
      { numRuns: 400 },
    )
    t.pass()
  })
}
