import test from 'ava'
import type { FwbuildError } from '../../../src/core/errors.ts'
import {
  fitsKernel,
  matchingCandidates,
  orderCandidates,
  parseZfsMeta,
  upstreamVersion,
  zfsKernelError,
  zfsVersionError,
} from '../../../src/core/host/zfs-meta.ts'
import { parseSeries } from '../../../src/core/kconfig/series.ts'
import type { KernelSeries } from '../../../src/core/kconfig/types.ts'

const metaText = (minimum: string, maximum: string): string =>
  `Meta:          1\nName:          zfs\nVersion:       2.3.2\nRelease:      2~bpo12+2\nLinux-Maximum: ${maximum}\nLinux-Minimum: ${minimum}\n`

const series = (text: string): KernelSeries => parseSeries(text) ?? { major: 0, minor: 0 }

const candidates = [
  { version: '2.1.11-1+deb12u1', suite: 'bookworm' },
  { version: '2.3.2-2~bpo12+2', suite: 'bookworm-backports' },
  { version: '2.3.9-0+deb13u1', suite: 'trixie' },
  { version: '2.4.4-1~bpo13+1', suite: 'trixie-backports' },
  { version: '2.4.4-1', suite: 'sid' },
]
const versions = (list: readonly { version: string }[]): readonly string[] =>
  list.map(({ version }) => version)

test('META says version and kernel range', (t) => {
  t.deepEqual(parseZfsMeta(metaText('4.18', '6.14'), 'META'), {
    version: '2.3.2',
    release: '2~bpo12+2',
    linuxMinimum: { major: 4, minor: 18 },
    linuxMaximum: { major: 6, minor: 14 },
  })
})

for (const [what, text] of [
  ['no range', 'Name: zfs\nVersion: 0.7.0\n'],
  ['another project', metaText('4.18', '6.14').replace('zfs', 'spl')],
  ['no kernel version', metaText('4.18', 'new')],
  ['a version that is a path', metaText('4.18', '6.14').replace('2.3.2', '../../x')],
  ['nothing', ''],
] as const) {
  test(`META with ${what} is refused`, (t) => {
    const error = t.throws<FwbuildError>(() => parseZfsMeta(text, '/src/zfs/META'))
    t.is(error.code, 'E_ZFS_META')
    t.is(error.exitCode, 2)
    t.true(error.message.startsWith('/src/zfs/META '))
  })
}

test('kernels are compared by series', (t) => {
  const meta = parseZfsMeta(metaText('4.18', '6.14'), 'META')
  const fits = (kernel: string): boolean => fitsKernel(meta, series(kernel))
  t.deepEqual(['4.17.19', '4.18', '5.10.1', '6.1.192', '6.14.99', '6.15-rc1', '7.0'].map(fits), [
    false,
    true,
    true,
    true,
    true,
    false,
    false,
  ])
})

test('candidates are tried suite by suite, the version of the host’s commands and its series first', (t) => {
  t.deepEqual(versions(orderCandidates(candidates, undefined)), versions(candidates))
  t.deepEqual(versions(orderCandidates(candidates, '2.4.4-1')), [
    '2.4.4-1',
    '2.4.4-1~bpo13+1',
    '2.1.11-1+deb12u1',
    '2.3.2-2~bpo12+2',
    '2.3.9-0+deb13u1',
  ])
  t.deepEqual(versions(orderCandidates(candidates, '2.3.9-1')).slice(0, 2), [
    '2.3.9-0+deb13u1',
    '2.3.2-2~bpo12+2',
  ])
  t.deepEqual(versions(orderCandidates(candidates, '2.2.2-0ubuntu9')), versions(candidates))
})

test('a version is named as upstream does or as the package does', (t) => {
  t.deepEqual(versions(matchingCandidates(candidates, '2.4.4')), ['2.4.4-1~bpo13+1', '2.4.4-1'])
  t.deepEqual(versions(matchingCandidates(candidates, '2.4.4-1')), ['2.4.4-1'])
  t.deepEqual(matchingCandidates(candidates, '2.4'), [])
  t.deepEqual(['1:2.3.9-0+deb13u1', '2.3.9', '2.4.0-rc1-1'].map(upstreamVersion), [
    '2.3.9',
    '2.3.9',
    '2.4.0-rc1',
  ])
})

test('a kernel that no ZFS fits: all ranges, and the ways out', (t) => {
  const ranges = [
    { version: '2.1.11-1', origin: 'bookworm', meta: parseZfsMeta(metaText('3.10', '6.2'), 'META') },
    { version: '2.3.9-0', origin: 'trixie', meta: parseZfsMeta(metaText('4.18', '7.2'), 'META') },
  ]
  const error = zfsKernelError('7.3.4', ranges, false)
  t.is(error.exitCode, 1)
  t.is(
    error.message,
    [
      'no ZFS here is made for kernel 7.3.4:',
      '  zfs 2.1.11-1 (bookworm): kernels 3.10–6.2',
      '  zfs 2.3.9-0 (trixie): kernels 4.18–7.2',
    ].join('\n'),
  )
  t.regex(error.hint ?? '', /--zfs=PATH[^]*--source debian:SERIES[^]*up to 7\.2[^]*--zfs=off/)
  const named = zfsKernelError('7.3.4', ranges.slice(1), true)
  t.is(named.exitCode, 2)
  t.regex(named.hint ?? '', /--zfs=VERSION/)
})

test('a version that is nowhere: those that are', (t) => {
  t.regex(
    zfsVersionError('9.9', candidates).message,
    /version 9\.9; there are\n {2}2\.1\.11[^]*2\.4\.4-1 \(sid\)$/,
  )
  t.regex(zfsVersionError('any', []).message, /no suite in reach/)
})
