import { spawnSync } from 'node:child_process'
import test from 'ava'
import {
  judgeModules,
  modulesScript,
  poolDiskHead,
  type ModulesProofPlan,
} from '../../../src/core/host/modules-proof.ts'

const plan: ModulesProofPlan = {
  release: '6.1.192-fwbuild-acs',
  modules: ['spl', 'zfs', 'vfio', 'vfio_pci'],
  absent: [],
  zfs: 'pool',
  vfioIds: ['10de:1c82'],
}

const good = [
  'release 6.1.192-fwbuild-acs',
  'loaded spl',
  'loaded zfs',
  'loads-done',
  'check zfs-module passed ZFS: Loaded module v2.3.9-1, ZFS pool version 5000',
  'check zfs-pool-create passed fwproof 240M ONLINE',
  'check zfs-pool-write passed 0123456789abcdef',
  'check zfs-pool-reimport passed read back unchanged',
  'check zfs-pool-healthy passed scan: scrub repaired 0B',
  'check vfio-pci-bind passed bound: 0000:01:00.0',
  'check vfio-groups passed opened: /dev/vfio/5',
]

const statusOf = (
  lines: readonly string[],
  changes: Partial<ModulesProofPlan> = {},
  failure?: string,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    judgeModules({ ...plan, ...changes }, lines, failure).map(({ name, status, detail }) => [
      name,
      `${status}: ${detail}`,
    ]),
  )

test('a guest that shows all of it passes', (t) => {
  const results = judgeModules(plan, good, undefined)
  t.deepEqual([...new Set(results.map(({ status }) => status))], ['passed'])
  t.is(results.length, 9)
})

test('what was not built or is not at hand is not run, with the reason', (t) => {
  const module = statusOf(good, { zfs: 'module' })
  t.regex(module['zfs-pool-write'] ?? '', /^not-run: no zpool and zfs at hand/)
  t.regex(module['zfs-module'] ?? '', /^passed/)
  const off = statusOf(good, { zfs: 'off' })
  t.is(off['zfs-module'], 'not-run: ZFS was not built')
  t.is(off['zfs-pool-create'], 'not-run: ZFS was not built')
})

test('another kernel, a module that is refused or absent, a check that fails', (t) => {
  t.regex(statusOf(good, { release: '6.2' })['kernel-release'] ?? '', /^failed: .* runs, expected 6\.2$/)
  const refused = statusOf([...good, 'refused zfs insmod: invalid module format'])
  t.is(refused['modules-load'], 'failed: zfs insmod: invalid module format')
  t.is(statusOf(good, { absent: ['zfs'] })['modules-load'], "failed: not among the kernel's modules: zfs")
  const lost = good.map((line) =>
    line.includes('reimport') ? 'check zfs-pool-reimport failed differ;' : line,
  )
  t.is(statusOf(lost)['zfs-pool-reimport'], 'failed: differ;')
  t.regex(statusOf(lost)['vfio-pci-bind'] ?? '', /^passed/)
})

test('a boot that ends early fails where it was, and the rest is not run', (t) => {
  const results = statusOf(good.slice(0, 5), {}, 'the kernel met an internal error: Oops')
  t.regex(results['zfs-module'] ?? '', /^passed/)
  t.is(results['zfs-pool-create'], 'failed: the kernel met an internal error: Oops')
  t.is(results['zfs-pool-write'], 'not-run: the guest had ended before')
  t.is(results['vfio-groups'], 'not-run: the guest had ended before')
})

for (const zfs of ['off', 'module', 'pool'] as const) {
  test(`the script is one a shell can read: zfs ${zfs}`, (t) => {
    const script = modulesScript({ ...plan, zfs })
    const read = spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' })
    t.is(read.status, 0, read.stderr)
    t.is(script.includes('zpool create'), zfs === 'pool')
    t.regex(script, /load vfio_pci ids=8086:10d3,10de:1c82/)
  })
}

test('the pool’s disk has one partition, from the first MiB to its end', (t) => {
  const head = Buffer.from(poolDiskHead())
  t.is(head.length, 512)
  t.is(head.readUInt32LE(446 + 8), 2048)
  t.is(head.readUInt32LE(446 + 12), 256 * 2048 - 2048)
  t.is(head.readUInt16LE(510), 0xaa55)
})
