import test from 'ava'
import { evaluate } from '../../../src/core/kconfig/tree/evaluate.ts'
import { explain } from '../../../src/core/kconfig/why/explain.ts'
import { findFix, holds } from '../../../src/core/kconfig/why/fix.ts'
import { explanationText, fixText } from '../../../src/core/kconfig/why/text.ts'
import { kconfig } from '../../helpers/kconfig.ts'

const tree = kconfig(`
config ARCH_NEVER
	bool

config GUEST
	bool "Guest support"

config BUS
	tristate "Bus"
	depends on GUEST

config PCI
	bool "PCI"

config FRONTEND
	tristate "Frontend"
	depends on BUS && PCI

config LIBRARY
	tristate

config USER
	tristate "User of the library"
	depends on PCI
	select LIBRARY

config FORBIDDEN
	bool "Only elsewhere"
	depends on ARCH_NEVER && PCI

config ABSENT_ARCH
	bool "Of another architecture"
	depends on SOMEWHERE_ELSE

config MODULE_ONLY
	tristate "Module only"
	depends on PCI && m

config AGAINST
	bool "Without PCI"
	depends on !PCI

config COUNT
	int "Count"
	range 1 8
	default 4
	depends on PCI

config COMPUTED
	int
	default 7

config MANY
	bool "Needs many"
	depends on COUNT > 5

choice
	prompt "Speed"
	default SLOW

config SLOW
	bool "Slow"

config FAST
	bool "Fast"

endchoice

config QUICK
	bool "Quick"
	depends on FAST

config NAME
	string "Name"

menu "Shown with GUEST"
	visible if GUEST

config SHY
	bool "Shy"

endmenu

config FOLLOWS
	def_bool GUEST && PCI
`)
const none = { values: new Map<string, string>() }
const config = (...lines: string[]) => ({
  values: new Map(lines.map((line) => line.split('=') as [string, string])),
})

const wishes: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
  ['FRONTEND', 'y', [], ['BUS=y', 'FRONTEND=y', 'GUEST=y', 'PCI=y']],
  ['FRONTEND', 'm', [], ['BUS=m', 'FRONTEND=m', 'GUEST=y', 'PCI=y']],
  ['FRONTEND', 'y', ['BUS=m', 'GUEST=y', 'PCI=y', 'FRONTEND=m'], ['BUS=y', 'FRONTEND=y']],
  ['LIBRARY', 'm', [], ['LIBRARY=m', 'PCI=y', 'USER=m']],
  ['LIBRARY', 'n', ['PCI=y', 'USER=y'], ['LIBRARY=n', 'USER=n']],
  ['AGAINST', 'y', ['PCI=y'], ['AGAINST=y', 'PCI=n']],
  ['MODULE_ONLY', 'm', [], ['MODULE_ONLY=m', 'PCI=y']],
  ['QUICK', 'y', [], ['FAST=y', 'QUICK=y']],
  ['SLOW', 'n', [], ['SLOW=n']],
  ['COUNT', '8', [], ['COUNT=8', 'PCI=y']],
  ['MANY', 'y', [], ['COUNT=6', 'MANY=y', 'PCI=y']],
  ['NAME', '"a \\"b\\""', [], ['NAME="a \\"b\\""']],
  ['SHY', 'y', [], ['GUEST=y', 'SHY=y']],
  ['FOLLOWS', 'y', [], ['FOLLOWS=y', 'GUEST=y', 'PCI=y']],
  ['PCI', 'n', ['PCI=y'], ['PCI=n']],
]
for (const [symbol, value, base, expected] of wishes)
  test(`fix: ${symbol}=${value} on ${base.join(' ') || 'nothing'}`, (t) => {
    const fix = findFix(tree, config(...base), [{ symbol, value }])
    t.deepEqual(
      [...(fix?.lines ?? [])].map((line) => line.join('=')),
      expected,
    )
    const merged = new Map([...config(...base).values, ...(fix?.lines ?? [])])
    t.true(holds(evaluate(tree, { values: merged }), { symbol, value }))
  })

for (const [symbol, value] of [
  ['FORBIDDEN', 'y'],
  ['ABSENT_ARCH', 'y'],
  ['MODULE_ONLY', 'y'],
  ['COMPUTED', '9'],
  ['MODULES', 'n'],
] as const)
  test(`${symbol}=${value} is said to be impossible, and there is no fix`, (t) => {
    t.is(findFix(tree, none, [{ symbol, value }]), undefined)
    t.is(explain(tree, none, { symbol, value }).verdict, 'impossible')
  })

test('several wishes are met together', (t) => {
  const fix = findFix(tree, none, [
    { symbol: 'FRONTEND', value: 'm' },
    { symbol: 'MANY', value: 'y' },
  ])
  t.deepEqual([...(fix?.lines.keys() ?? [])], ['BUS', 'COUNT', 'FRONTEND', 'GUEST', 'MANY', 'PCI'])
  const contrary = [
    { symbol: 'FRONTEND', value: 'm' },
    { symbol: 'AGAINST', value: 'y' },
  ]
  t.is(findFix(tree, none, contrary), undefined)
})

test('what a fix turns off is told', (t) => {
  const fix = findFix(tree, config('GUEST=y', 'PCI=y', 'BUS=y', 'FRONTEND=y'), [
    { symbol: 'AGAINST', value: 'y' },
  ])
  t.deepEqual(fix?.lost, ['FOLLOWS', 'FRONTEND'])
  t.is(
    fix === undefined ? '' : fixText(fix, ['for AGAINST']),
    '# for AGAINST\n# turns off 2: FOLLOWS, FRONTEND\nCONFIG_AGAINST=y\n# CONFIG_PCI is not set\n',
  )
})

test('an explanation goes down to what can be set, with places and values', (t) => {
  const text = explanationText(explain(tree, config('PCI=y'), { symbol: 'FRONTEND', value: 'y' }))
  t.is(
    text,
    [
      'FRONTEND: wanted y, is n: set CONFIG_FRONTEND=y once its conditions are met (Kconfig:19)',
      '  not met: BUS=n (Kconfig:21)',
      '    BUS: wanted y, is n: set CONFIG_BUS=y once its conditions are met (Kconfig:12)',
      '      not met: GUEST=n (Kconfig:14)',
      '        GUEST: wanted y, is n: set CONFIG_GUEST=y (Kconfig:9)',
      '  met: PCI',
      '',
    ].join('\n'),
  )
})

const verdicts: readonly (readonly [string, string, readonly string[], string, RegExp])[] = [
  ['FRONTENT', 'y', [], 'undefined', /similar: FRONTEND/],
  ['GUEST', 'y', [], 'set', /CONFIG_GUEST=y/],
  ['GUEST', 'y', ['GUEST=y'], 'holds', /has the wanted value/],
  ['LIBRARY', 'y', [], 'defaulted', /no prompt; USER can select it/],
  ['LIBRARY', 'n', ['PCI=y', 'USER=m'], 'selected', /selected by USER=m/],
  ['FORBIDDEN', 'y', [], 'impossible', /no configuration of this tree/],
  ['MODULE_ONLY', 'y', [], 'impossible', /at most m/],
  ['COUNT', '100', ['PCI=y'], 'range', /only 1 to 8/],
  ['COUNT', '5', [], 'unmet', /once its conditions/],
  ['SLOW', 'n', [], 'set', /set one of FAST/],
  ['FOLLOWS', 'n', ['PCI=y', 'GUEST=y'], 'defaulted', /its default holds/],
  ['COMPUTED', '1', [], 'impossible', /the tree computes it \(Kconfig:\d+\)/],
  ['SHY', 'y', [], 'unmet', /once/],
]
for (const [symbol, value, base, verdict, reason] of verdicts)
  test(`why ${symbol}=${value} on ${base.join(' ') || 'nothing'}: ${verdict}`, (t) => {
    const explanation = explain(tree, config(...base), { symbol, value })
    t.is(explanation.verdict, verdict as typeof explanation.verdict)
    t.regex(explanation.reason, reason)
  })

test('where something can never be met, only that is shown', (t) => {
  const text = explanationText(explain(tree, none, { symbol: 'FORBIDDEN', value: 'y' }))
  t.regex(text, /never met here: ARCH_NEVER=n/)
  t.notRegex(text, /PCI/)
  t.regex(
    explanationText(explain(tree, none, { symbol: 'ABSENT_ARCH', value: 'y' })),
    /SOMEWHERE_ELSE undefined/,
  )
})
