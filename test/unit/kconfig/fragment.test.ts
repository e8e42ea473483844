import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import { parseDotConfig, sameValue } from '../../../src/core/kconfig/dot-config.ts'
import { parseFragment } from '../../../src/core/kconfig/fragment.ts'
import { parseSeries, seriesText } from '../../../src/core/kconfig/series.ts'
import { selectForKernel } from '../../../src/core/kconfig/select.ts'

function failure(body: () => unknown): FwbuildError {
  try {
    body()
  } catch (error) {
    if (error instanceof FwbuildError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const parsed = parseFragment(
  [
    '# A comment',
    'CONFIG_PLAIN=y',
    '#@ purpose: the bus',
    '#@ need: optional',
    '#@ since: 5.10',
    '#@ until: 6.6',
    '#@ only-if: PCI_HYPERV, PCI',
    'CONFIG_BUS=m',
    '# CONFIG_BUS_DEBUG is not set',
    '#@ purpose: sizes',
    'CONFIG_SIZE=0x1F',
    'CONFIG_NAME="a \\"b\\""',
  ].join('\n'),
  'x.config',
)

test('groups carry need, range and conditions; lines carry their origin', (t) => {
  const [plain, bus, sizes] = parsed.groups
  t.deepEqual(plain?.assignments, [
    { symbol: 'PLAIN', value: 'y', need: 'required', origin: { file: 'x.config', line: 2 } },
  ])
  t.is(bus?.purpose, 'the bus')
  t.deepEqual(bus?.since, { major: 5, minor: 10 })
  t.deepEqual(bus?.onlyIf, ['PCI_HYPERV', 'PCI'])
  t.deepEqual(
    bus?.assignments.map((a) => [a.symbol, a.value, a.need, a.origin.line]),
    [
      ['BUS', 'm', 'optional', 8],
      ['BUS_DEBUG', 'n', 'optional', 9],
    ],
  )
  t.deepEqual(
    sizes?.assignments.map((a) => a.value),
    ['0x1F', '"a \\"b\\""'],
  )
})

test('since and until are inclusive and ignore the patch level', (t) => {
  const symbols = (version: string) =>
    selectForKernel(parsed, version).assignments.map((assignment) => assignment.symbol)
  t.false(symbols('5.9.99').includes('BUS'))
  t.true(symbols('5.10').includes('BUS'))
  t.true(symbols('6.6.151').includes('BUS'))
  t.false(symbols('6.7').includes('BUS'))
  t.regex(selectForKernel(parsed, '4.4.194').skipped[0]?.why ?? '', /exists since kernel 5\.10, this is 4\.4/)
  t.is(failure(() => selectForKernel(parsed, 'latest')).code, 'E_KERNEL_VERSION')
})

test('only-if needs the symbol to exist; without a tree its lines are optional', (t) => {
  const without = selectForKernel(parsed, '6.1', (symbol) => symbol !== 'PCI_HYPERV')
  t.deepEqual(
    without.assignments.map((a) => a.symbol),
    ['PLAIN', 'SIZE', 'NAME'],
  )
  t.regex(without.skipped[0]?.why ?? '', /only where PCI_HYPERV exists/)
  const unknown = selectForKernel(parsed, '6.1').assignments.find((a) => a.symbol === 'BUS')
  t.is(unknown?.need, 'optional')
})

test('a symbol assigned twice in one file is an error that names both lines', (t) => {
  const error = failure(() => parseFragment('CONFIG_A=y\n\n# CONFIG_A is not set\n', 'twice.config'))
  t.is(error.code, 'E_FRAGMENT_DUPLICATE')
  t.is(error.exitCode, 2)
  t.regex(error.message, /twice\.config:3: CONFIG_A is already assigned at twice\.config:1/)
})

const slips: readonly (readonly [string, RegExp])[] = [
  ['CONFG_FOO=y', /'CONFIG_FOO=y'/],
  ['FOO=y', /'CONFIG_FOO=y'/],
  ['CONFIG_FOO = y', /'CONFIG_FOO=y'/],
  [' CONFIG_FOO=y', /'CONFIG_FOO=y'/],
  ['CONFIG_FOO', /'CONFIG_FOO=y'/],
  ['CONFIG_FOO=Y', /'CONFIG_FOO=y'/],
  ['CONFIG_FOO=yes', /'CONFIG_FOO=y'/],
  ['CONFIG_FOO=off', /'# CONFIG_FOO is not set'/],
  ['CONFIG_FOO=', /'# CONFIG_FOO is not set'/],
  ['CONFIG_FOO=text', /CONFIG_FOO="text"/],
  ['CONFIG_FOO="text', /does not end/],
  ['#CONFIG_FOO is not set', /'# CONFIG_FOO is not set'/],
  ['# CONFIG_FOO not set', /'# CONFIG_FOO is not set'/],
  ['CONFIG_FOO is not set', /'# CONFIG_FOO is not set'/],
  ['hello', /A line is/],
]
for (const [line, advice] of slips)
  test(`a slip gets advice: ${line}`, (t) => {
    const error = failure(() => parseFragment(`\n${line}\n`, 'f.config'))
    t.is(error.code, 'E_CONFIG_LINE')
    t.regex(error.message, /^f\.config:2: /)
    t.regex(error.hint ?? '', advice)
  })

const commentSlips: readonly (readonly [string, RegExp])[] = [
  ['#@ purpse: x', /#@ purpose: x/],
  ['#@ need: maybe', /'required' or 'optional'/],
  ['#@ since: v5', /5\.15/],
  ['#@ since: 5.15.3', /5\.15/],
  ['#@ only-if: CONFIG_PCI', /without CONFIG_/],
  ['#@ nonsense', /key: value/],
  ['#@ need:', /#@ need/],
  ['CONFIG_A=y\n#@ need: optional', /right below the purpose/],
  ['#@ need: optional\n#@ need: optional', /Keep one/],
]
for (const [line, advice] of commentSlips)
  test(`a wrong structured comment gets advice: ${JSON.stringify(line)}`, (t) => {
    const error = failure(() => parseFragment(`#@ purpose: p\n${line}\n`, 'f.config'))
    t.is(error.code, 'E_FRAGMENT_COMMENT')
    t.regex(error.message, /^f\.config:[23]: /)
    t.regex(error.hint ?? '', advice)
  })

test('a key before any purpose is an error', (t) => {
  t.regex(failure(() => parseFragment('#@ need: optional\n', 'f')).message, /before any/)
})

test('binary and oversized files are refused with their place', (t) => {
  const binary = failure(() => parseDotConfig('CONFIG_A=y\n\u0000\u0001', 'vmlinux'))
  t.is(binary.code, 'E_CONFIG_BINARY')
  t.regex(binary.message, /vmlinux:2/)
  t.is(failure(() => parseDotConfig('#'.repeat(17 * 1024 * 1024), 'big')).code, 'E_CONFIG_TOO_LARGE')
})

test('a .config keeps the last of two assignments and reads every kind of value', (t) => {
  const config = parseDotConfig(
    'CONFIG_A=y\nCONFIG_A=m\nCONFIG_9P_FS=y\r\nCONFIG_N=-3\n# CONFIG_B is not set\n# CONFIG_PACKAGE_kmod-9p is not set\n',
    'c',
  )
  t.deepEqual(
    [...config.values],
    [
      ['A', 'm'],
      ['9P_FS', 'y'],
      ['N', '-3'],
      ['B', 'n'],
      ['PACKAGE_kmod-9p', 'n'],
    ],
  )
})

test('values compare by meaning', (t) => {
  t.true(sameValue('0x1F', '0x01f'))
  t.true(sameValue(undefined, 'n'))
  t.true(sameValue('0x0', '0x00'))
  t.false(sameValue('y', 'm'))
})

test('kernel versions as the world writes them', (t) => {
  for (const text of ['6.12', '6.12.103', 'v6.12-rc1', '6.12.3-acs+'])
    t.is(seriesText(parseSeries(text) ?? { major: 0, minor: 0 }), '6.12')
  t.is(parseSeries('six'), undefined)
})
