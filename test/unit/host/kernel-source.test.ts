import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import { chooseKernelSource, kernelSourcePackages } from '../../../src/core/host/kernel-source.ts'

const offered = [
  ['linux-source-6.1', '6.1.192-2', 'bookworm-security'],
  ['linux-source-6.1', '6.1.176-1', 'bookworm'],
  ['linux-source-6.12', '6.12.57-1~bpo12+1', 'bookworm-backports'],
  ['linux-source-6.12', '6.12.117-1', 'trixie'],
  ['linux-source-7.2', '7.2.13-1', 'sid'],
].map(([name = '', version = '', suite = '']) => ({ name, version, suite }))

const versions = (series: string | undefined): readonly string[] =>
  chooseKernelSource(offered, { series, hostSuite: 'bookworm' }).map(({ version }) => version)

test('the host’s own suite by default, without backports', (t) => {
  t.deepEqual(versions(undefined), ['6.1.192-2', '6.1.176-1'])
})

test('a series wherever it is, its newest version first', (t) => {
  t.deepEqual(versions('6.12'), ['6.12.117-1', '6.12.57-1~bpo12+1'])
})

test('6.1 is not 6.12', (t) => {
  t.deepEqual(versions('6.1'), ['6.1.192-2', '6.1.176-1'])
})

test('the newest of all: 7.2 before 6.12', (t) => {
  t.deepEqual(versions('newest'), ['7.2.13-1'])
})

test('a series that nobody has lists those that are there', (t) => {
  const error = t.throws(() => versions('5.4'), { instanceOf: FwbuildError })
  t.is(error?.code, 'E_KERNEL_SOURCE')
  t.regex(error?.hint ?? '', /7\.2 \(sid\), 6\.12 .*6\.1 \(bookworm\)/)
})

test('variants of the source are not it', (t) => {
  t.deepEqual(kernelSourcePackages(['linux-source', 'linux-source-6.1', 'linux-source-6.1-rt']), [
    'linux-source-6.1',
  ])
})
