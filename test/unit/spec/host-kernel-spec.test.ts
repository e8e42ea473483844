import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import { hostKernelSpec, kernelSourceText } from '../../../src/core/spec/host-kernel-spec.ts'
import { hostKernelLayer, type HostKernelLayer } from '../../../src/core/spec/options.ts'

const hash = 'a'.repeat(64)

test('without options: the distribution’s kernel, ZFS where the host has it, booted', (t) => {
  t.deepEqual(hostKernelSpec([]), {
    name: 'host-kernel',
    acs: 'off',
    zfs: { kind: 'auto' },
    source: { kind: 'debian' },
    config: { kind: 'auto' },
    patches: [],
    skipDocs: false,
    fragments: [],
    localversion: '-fwbuild',
    passthrough: [],
    boot: true,
  })
})

test('the strongest layer wins, each option by itself', (t) => {
  const spec = hostKernelSpec([{ acs: 'always' }, { acs: 'missing', localversion: '-mine' }])
  t.is(spec.acs, 'always')
  t.is(spec.localversion, '-mine')
})

test('with --acs the release says so', (t) => {
  t.is(hostKernelSpec([{ acs: 'missing' }]).localversion, '-fwbuild-acs')
})

test('short and full BDFs are one, sorted', (t) => {
  const { passthrough } = hostKernelSpec([{ passthrough: ['0000:02:00.0', '01:00.1', '01:00.1', '02:00.0'] }])
  t.deepEqual(passthrough, ['0000:01:00.1', '0000:02:00.0'])
})

for (const [text, source] of [
  ['debian', { kind: 'debian' }],
  ['debian:6.12', { kind: 'debian', series: '6.12' }],
  ['debian:newest', { kind: 'debian', series: 'newest' }],
  ['/src/linux', { kind: 'tree', path: '/src/linux' }],
  ['/dl/linux-6.12.tar.xz', { kind: 'tarball', location: '/dl/linux-6.12.tar.xz' }],
  [
    'https://example.org/linux.git#v6.12',
    { kind: 'git', location: 'https://example.org/linux.git', ref: 'v6.12' },
  ],
  ['/src/linux#mine', { kind: 'git', location: '/src/linux', ref: 'mine' }],
] as const) {
  test(`--source ${text}`, (t) => {
    const spec = hostKernelSpec([{ source: text }])
    t.deepEqual(spec.source, source)
    t.is(kernelSourceText(spec.source), text)
  })
}

test('a tarball by URL needs its hash', (t) => {
  const source = 'https://example.org/linux-6.12.tar.xz'
  t.deepEqual(hostKernelSpec([{ source, sha256: hash.toUpperCase() }]).source, {
    kind: 'tarball',
    location: source,
    sha256: hash,
  })
})

test('two sources have two trees', (t) => {
  const names = ['debian', 'debian:6.12', '/src/a', '/src/b', '/src/a#x'].map(
    (source) => hostKernelSpec([{ source }]).name,
  )
  t.is(new Set(names).size, names.length)
})

const bad: readonly [string, HostKernelLayer, string][] = [
  ['a tarball by URL without hash', { source: 'https://example.org/linux.tar.xz' }, 'E_SHA256_MISSING'],
  ['a hash without tarball', { sha256: hash }, 'E_SHA256_UNUSED'],
  ['a Debian series that is none', { source: 'debian:six' }, 'E_SOURCE_SYNTAX'],
  ['a URL that is neither', { source: 'https://example.org/linux' }, 'E_SOURCE_SYNTAX'],
  ['ZFS nonsense', { zfs: 'yes' }, 'E_ZFS_SYNTAX'],
  ['a configuration word', { config: 'big' }, 'E_CONFIG_WORD'],
]
for (const [title, layer, code] of bad) {
  test(`refused: ${title}`, (t) => {
    const error = t.throws(() => hostKernelSpec([layer]), { instanceOf: FwbuildError })
    t.is(error?.code, code)
    t.is(error?.kind, 'usage')
  })
}

for (const [key, value] of [
  ['localversion', 'acs'],
  ['localversion', '-ACS'],
  ['passthrough', ['1:0']],
  ['acs', 'on'],
  ['sha256', 'abc'],
] as const) {
  test(`the layer refuses ${key} ${String(value)}`, (t) => {
    t.false(hostKernelLayer.safeParse({ [key]: value }).success)
  })
}
