import test from 'ava'
import { inChoices, rivalsOf } from '../../../src/core/kconfig/choice-order.ts'
import { checkConfig, checkStatus, type CheckStatus } from '../../../src/core/kconfig/check.ts'
import { parseDotConfig } from '../../../src/core/kconfig/dot-config.ts'
import { parseFragment } from '../../../src/core/kconfig/fragment.ts'
import { mergeFragments, renderFragment } from '../../../src/core/kconfig/merge.ts'
import { nearestNames } from '../../../src/core/kconfig/nearest.ts'
import { kconfig } from '../../helpers/kconfig.ts'
import type { Assignment } from '../../../src/core/kconfig/types.ts'

const lines = (file: string, text: string): readonly Assignment[] =>
  parseFragment(text, file).groups.flatMap((group) => group.assignments)
const layer = (file: string, text: string, literal = false) => ({ assignments: lines(file, text), literal })

test('the last layer wins and both origins are reported', (t) => {
  const merged = mergeFragments([
    layer('a', 'CONFIG_B=y\nCONFIG_A="x"\n'),
    layer('b', 'CONFIG_C=y\n# CONFIG_B is not set\n'),
  ])
  t.is(renderFragment(merged.assignments), 'CONFIG_A="x"\nCONFIG_C=y\n# CONFIG_B is not set\n')
  t.deepEqual(
    merged.redefinitions.map((r) => [r.earlier.origin, r.later.origin, r.kept]),
    [[{ file: 'a', line: 1 }, { file: 'b', line: 2 }, 'later']],
  )
})

test('y satisfies a wanted m, but a literal layer means what it says', (t) => {
  const below = layer('a', 'CONFIG_A=y\n')
  t.is(mergeFragments([below, layer('b', 'CONFIG_A=m\n')]).assignments[0]?.value, 'y')
  t.is(mergeFragments([below, layer('b', 'CONFIG_A=m\n', true)]).assignments[0]?.value, 'm')
  t.is(mergeFragments([layer('b', 'CONFIG_A=m\n'), below]).assignments[0]?.value, 'y')
})

test('where layers agree the stronger need stays and nothing is reported', (t) => {
  const optional = layer('a', '#@ purpose: p\n#@ need: optional\nCONFIG_A=0x1F\n')
  const required = layer('b', 'CONFIG_A=0x1f\n')
  for (const layers of [
    [optional, required],
    [required, optional],
  ]) {
    const merged = mergeFragments(layers)
    t.is(merged.assignments[0]?.need, 'required')
    t.deepEqual(merged.redefinitions, [])
  }
})

test('rendering keeps the order, takes a header and is empty for nothing', (t) => {
  t.is(renderFragment([], []), '')
  t.is(
    renderFragment(
      [
        { symbol: 'B', value: 'n' },
        { symbol: 'A', value: '1' },
      ],
      ['top'],
    ),
    '# top\n# CONFIG_B is not set\nCONFIG_A=1\n',
  )
})

test('order of layers in a choice: a line set again moves to its last place, also with the same value', (t) => {
  const merged = (...texts: readonly string[]): string =>
    renderFragment(mergeFragments(texts.map((text, index) => layer(String(index), text))).assignments)
  t.is(merged('CONFIG_HZ_300=y\n', 'CONFIG_HZ_100=y\n'), 'CONFIG_HZ_300=y\nCONFIG_HZ_100=y\n')
  t.is(
    merged('CONFIG_HZ_300=y\n', 'CONFIG_HZ_100=y\n', 'CONFIG_HZ_300=y\n'),
    'CONFIG_HZ_100=y\nCONFIG_HZ_300=y\n',
  )
  t.is(
    merged('# CONFIG_B is not set\n', '# CONFIG_A is not set\n', '# CONFIG_B is not set\n'),
    '# CONFIG_A is not set\n# CONFIG_B is not set\n',
  )
  // As merge_config.sh -y: what is not demoted stays where it is.
  t.is(merged('CONFIG_A=y\nCONFIG_B=y\n', 'CONFIG_A=m\n'), 'CONFIG_A=y\nCONFIG_B=y\n')
})

const choiceTree = kconfig(
  'choice\n\tprompt "C"\n\nconfig HZ_100\n\tbool "1"\n\nconfig HZ_250\n\tbool "2"\n\nconfig HZ_300\n\tbool "3"\n\nendchoice\n',
)

test('order of layers in a choice: the last member beats the earlier ones, which are told and not wanted', (t) => {
  const asked = lines('f', 'CONFIG_HZ_300=y\nCONFIG_HZ_100=y\n# CONFIG_HZ_250 is not set\nCONFIG_OTHER=y\n')
  const { wanted, overruled } = inChoices(choiceTree, asked)
  t.deepEqual(
    wanted.map(({ symbol }) => symbol),
    ['HZ_100', 'HZ_250', 'OTHER'],
  )
  t.deepEqual(
    overruled.map(({ line, by }) => [line.symbol, by.symbol]),
    [['HZ_300', 'HZ_100']],
  )
})

test('order of layers in a choice: where lines are sorted by name, rivals are what else is on', (t) => {
  const asked = lines('f', 'CONFIG_HZ_300=y\nCONFIG_HZ_100=y\n')
  const merged = new Map([
    ['HZ_100', 'y'],
    ['HZ_250', 'n'],
    ['HZ_300', 'y'],
  ])
  t.deepEqual(rivalsOf(choiceTree, asked, merged), ['HZ_300'])
  t.deepEqual(rivalsOf(choiceTree, asked.slice(0, 1), new Map(merged).set('HZ_250', 'y')), [
    'HZ_100',
    'HZ_250',
  ])
  t.deepEqual(rivalsOf(choiceTree, [], merged), [])
})

test('a wanted m that came as y is no mismatch', (t) => {
  const wanted = lines('f', 'CONFIG_Y=m\nCONFIG_M=y\n')
  t.deepEqual(
    checkConfig(wanted, final).map(({ symbol, status }) => [symbol, status]),
    [['M', 'changed']],
  )
})

const final = parseDotConfig(
  'CONFIG_Y=y\nCONFIG_M=m\n# CONFIG_N is not set\nCONFIG_S="a"\nCONFIG_VIRTIO_NET=y\n',
  '.config',
)
const statuses: readonly (readonly [string, string, CheckStatus])[] = [
  ['Y', 'y', 'satisfied'],
  ['Y', 'm', 'stronger'],
  ['M', 'y', 'changed'],
  ['M', 'm', 'satisfied'],
  ['Y', 'n', 'changed'],
  ['N', 'n', 'satisfied'],
  ['ABSENT', 'n', 'satisfied'],
  ['N', 'y', 'dropped'],
  ['ABSENT', 'y', 'missing'],
  ['S', '"a"', 'satisfied'],
  ['S', '"b"', 'changed'],
]
for (const [symbol, value, expected] of statuses)
  test(`wanted ${symbol}=${value} is ${expected}`, (t) => {
    t.is(checkStatus({ symbol, value }, final), expected)
  })

test('mismatches say what was wanted, what came and what is like it', (t) => {
  const found = checkConfig(lines('f', 'CONFIG_VIRTO_NET=y\nCONFIG_N=y\nCONFIG_Y=y\n'), final)
  t.deepEqual(
    found.map((m) => [m.symbol, m.status, m.got]),
    [
      ['VIRTO_NET', 'missing', undefined],
      ['N', 'dropped', 'n'],
    ],
  )
  t.regex(found[0]?.why ?? '', /VIRTIO_NET/)
})

test('with the tree known, a symbol that exists but is absent was dropped', (t) => {
  const wanted = lines('f', 'CONFIG_HIDDEN=y\nCONFIG_NOWHERE=y\n')
  const found = checkConfig(wanted, final, new Set(['HIDDEN', 'Y']))
  t.deepEqual(
    found.map((m) => m.status),
    ['dropped', 'missing'],
  )
  t.regex(found[1]?.why ?? '', /no such symbol/)
})

test('nearest names: swaps, typos, shared words; never nonsense', (t) => {
  const known = ['PCI_HYPERV', 'HYPERV', 'HYPERV_NET', 'VIRTIO_NET', 'XEN']
  t.is(nearestNames('PCI_HYEPRV', known)[0], 'PCI_HYPERV')
  t.is(nearestNames('HYPERV_PCI', known)[0], 'PCI_HYPERV')
  t.deepEqual(nearestNames('QWERTYUIOP', known), [])
})
