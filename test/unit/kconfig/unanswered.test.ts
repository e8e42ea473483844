import test from 'ava'
import { evaluate } from '../../../src/core/kconfig/tree/evaluate.ts'
import { unanswered } from '../../../src/core/kconfig/unanswered.ts'
import { treeOf } from '../../helpers/kconfig.ts'

const source = `
config BUS
	bool "bus"

config DRIVER
	bool "driver"
	depends on BUS

config SPEED
	int "speed"
	depends on BUS
	default 3

config SELECTED
	bool "selected"

config SELECTS
	bool "selects"
	select SELECTED

config SILENT
	bool
	default y

choice
	prompt "one of"
config ONE
	bool "one"
config TWO
	bool "two"
endchoice
`

const asked = (...lines: readonly (readonly [string, string])[]): readonly string[] =>
  unanswered(evaluate(treeOf({ Kconfig: source }), { values: new Map(lines) }))

test('what is visible, changeable and not said', (t) => {
  t.deepEqual(asked(), ['BUS', 'SELECTED', 'SELECTS', 'ONE'])
  t.deepEqual(asked(['BUS', 'n'], ['SELECTS', 'n'], ['SELECTED', 'n'], ['TWO', 'y']), [])
})

test('turning something on brings its children to light', (t) => {
  const rest = [['SELECTS', 'y'] as const, ['ONE', 'y'] as const]
  t.deepEqual(asked(['BUS', 'y'], ...rest), ['DRIVER', 'SPEED'])
  t.deepEqual(asked(['BUS', 'y'], ['DRIVER', 'n'], ['SPEED', '4'], ...rest), [])
})
