import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { areaOf } from '../../../src/effects/beneath/area.ts'
import { buildUser } from '../../../src/effects/build-user.ts'
import { proveModules, type ModulesProofOptions } from '../../../src/pipeline/host-kernel/prove-modules.ts'
import { needBusybox } from '../../helpers/busybox-image.ts'
import { debianKernel, needDebianKernel, type DebianKernel } from '../../helpers/debian-kernel.ts'
import { needProgram, testWith } from '../../helpers/need.ts'

const needs = [needProgram('qemu-system-x86_64'), needProgram('modinfo'), needBusybox(), needDebianKernel()]

let directory = ''
let kernel: Promise<DebianKernel> | undefined

test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fwbuild-modules-test-'))
})
test.after.always(() => rm(directory, { recursive: true, force: true }))

async function prove(options: Partial<ModulesProofOptions> = {}): Promise<Readonly<Record<string, string>>> {
  kernel ??= debianKernel(await mkdtemp(join(directory, 'kernel-')))
  const { kernelPath, release, modulesDir } = await kernel
  const proof = await proveModules({
    kernelPath,
    busyboxPath: '/bin/busybox',
    modulesDirs: [{ root: modulesDir, path: '' }],
    release,
    zfs: false,
    vfioIds: [],
    logDir: join(directory, 'logs'),
    signal: new AbortController().signal,
    report: () => {},
    step: 'boot',
    ...options,
  })
  return Object.fromEntries(proof.checks.map(({ name, status, detail }) => [name, `${status}: ${detail}`]))
}

testWith(needs, 'vfio-pci takes the cards behind the IOMMU and their groups open', async (t) => {
  const checks = await prove({ vfioIds: ['10de:1c82'] })
  t.regex(checks['kernel-release'] ?? '', /^passed: 6\./)
  t.regex(checks['modules-load'] ?? '', /^passed: \d+ loaded, .* vfio_pci$/)
  t.is(checks['vfio-pci-bind'], 'passed: bound: 0000:01:00.0 0000:01:00.1 0000:02:00.0')
  t.regex(checks['vfio-groups'] ?? '', /^passed: opened: \/dev\/vfio\/\d+ \/dev\/vfio\/\d+$/)
  t.is(checks['zfs-module'], 'not-run: ZFS was not built')
})

testWith(needs, 'modules that the packages lack and another release are told', async (t) => {
  const checks = await prove({ zfs: true, release: '6.1-other' })
  t.regex(checks['kernel-release'] ?? '', /^failed: .* expected 6\.1-other$/)
  t.is(checks['modules-load'], "failed: not among the kernel's modules: zfs")
  t.regex(checks['zfs-module'] ?? '', /^failed/)
  t.regex(checks['vfio-groups'] ?? '', /^passed/)
})

/** A kernel with ZFS takes long to compile: `KERNEL RELEASE MODULESDIRS USERLAND`, directories with commas between. */
const [kernelPath, release = '', modulesDirs = '', zfsUserlandDir = ''] = (
  process.env['FWBUILD_ZFS_KERNEL'] ?? ''
).split(' ')
if (kernelPath === undefined || kernelPath === '')
  test.skip('a pool is made, written, moved and read (needs FWBUILD_ZFS_KERNEL)', () => {})
else {
  testWith(needs, 'a pool is made, written, moved and read', async (t) => {
    const dirs = modulesDirs.split(',').map((root) => ({ root, path: '' }))
    const zfsUserland = { area: areaOf(zfsUserlandDir, buildUser(process.env)), dir: zfsUserlandDir }
    const checks = await prove({ kernelPath, release, modulesDirs: dirs, zfs: true, zfsUserland })
    t.log(checks)
    for (const [name, text] of Object.entries(checks)) t.regex(text, /^passed/, name)
  })
}
