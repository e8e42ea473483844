import test from 'ava'
import { assessHost, type HostFacts, packagesFor } from '../../../src/core/host/requirements.ts'
import { initSystemOf } from '../../../src/pipeline/start-docker.ts'
import { findingsTable } from '../../../src/report/findings-table.ts'

const good: HostFacts = {
  nodeVersion: '20.19.0',
  gitVersion: '2.39.5',
  programs: new Set([
    'bash',
    'cpio',
    'debootstrap',
    'dockerd',
    'gcc',
    'make',
    'patch',
    'qemu-img',
    'qemu-system-x86_64',
    'tar',
  ]),
  docker: { answers: true, address: 'unix:///var/run/docker.sock' },
  ovmf: true,
  kvm: true,
  freeDiskBytes: 50 * 1024 ** 3,
  workDir: '/w',
  isRoot: true,
  appArmor: false,
  cgroups: true,
}
const all = ['clone', 'container', 'base-image', 'host-build', 'convert', 'boot'] as const
const bare: HostFacts = {
  ...good,
  gitVersion: undefined,
  programs: new Set(),
  docker: { answers: false, why: 'no Docker daemon' },
  ovmf: false,
  kvm: false,
}

test('a complete machine has nothing to do', (t) => {
  const findings = assessHost(good, all)
  t.deepEqual(
    findings.filter(({ state }) => state !== 'ok'),
    [],
  )
  t.deepEqual(packagesFor(findings), [])
})

test('a bare machine gets the packages its jobs need, each once', (t) => {
  t.deepEqual(packagesFor(assessHost(bare, ['clone', 'container', 'base-image', 'convert', 'boot'])), [
    'debootstrap',
    'docker.io',
    'git',
    'iptables',
    'ovmf',
    'qemu-system-x86',
    'qemu-utils',
  ])
  t.deepEqual(packagesFor(assessHost(bare, ['convert'])), ['qemu-utils'])
  t.true(packagesFor(assessHost({ ...bare, appArmor: true }, ['container'])).includes('apparmor'))
  t.true(packagesFor(assessHost({ ...bare, cgroups: false }, ['container'])).includes('cgroupfs-mount'))
  t.deepEqual(packagesFor(assessHost({ ...bare, isRoot: false }, ['base-image'])), ['mmdebstrap', 'uidmap'])
})

test('a host kernel made without a container needs what makes packages', (t) => {
  t.deepEqual(packagesFor(assessHost(bare, ['host-packages'])), ['apt-utils', 'dpkg', 'gpg'])
})

test('what no package cures says what to do instead', (t) => {
  const findings = assessHost(
    {
      ...good,
      nodeVersion: '18.20.4',
      gitVersion: '2.30.2',
      docker: { answers: false, why: 'ECONNREFUSED' },
      freeDiskBytes: 1024 ** 3,
    },
    all,
  )
  const missing = findings.filter(({ state }) => state === 'missing')
  t.deepEqual(
    missing.map(({ id }) => id),
    ['node', 'git', 'docker', 'disk'],
  )
  t.true(missing.every(({ advice }) => advice !== undefined))
  t.deepEqual(packagesFor(findings), [])
})

test('an emulated boot and a small disk are weak, not missing', (t) => {
  const findings = assessHost({ ...good, kvm: false, freeDiskBytes: 5 * 1024 ** 3 }, all)
  t.deepEqual(
    findings.filter(({ state }) => state !== 'ok').map(({ id, state }) => [id, state]),
    [
      ['kvm', 'weak'],
      ['disk', 'weak'],
    ],
  )
})

test('the table aligns findings and puts what to do below', (t) => {
  const table = findingsTable([
    { id: 'a', title: 'Git', state: 'ok', detail: '2.39', packages: [] },
    { id: 'b', title: 'Docker', state: 'missing', detail: 'gone', advice: 'start it', packages: [] },
  ])
  t.is(table, '✓ Git     2.39\n✗ Docker  gone\n          → start it\n')
})

test('an init system is told by what it leaves, not by its name', (t) => {
  const has =
    (...paths: string[]) =>
    (path: string) =>
      paths.includes(path)
  t.is(initSystemOf('systemd', has('/run/systemd/system')), 'systemd')
  t.is(initSystemOf('init', has('/etc/inittab', '/etc/init.d/docker')), 'sysv')
  t.is(initSystemOf('init', has('/etc/init.d/docker')), 'none')
  t.is(initSystemOf('bash', has('/etc/inittab', '/etc/init.d/docker')), 'none')
})
