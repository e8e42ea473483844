import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { adviseAcs } from '../../../src/core/host/acs-advice.ts'
import { groupsText } from '../../../src/core/host/iommu-proof.ts'
import { expectedGroups, proofDeviceAt, type Topology } from '../../../src/core/host/iommu-topology.ts'
import { readPciHost } from '../../../src/effects/sysfs-pci.ts'
import { cli, type CliResult } from '../../helpers/cli.ts'
import { unpackSysfs } from '../../helpers/sysfs-dump.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

async function sysfs(t: ExecutionContext, name: string): Promise<string> {
  const directory = await temporaryDirectory(t)
  await unpackSysfs(`test/fixtures/sysfs/${name}.tar.gz`, directory)
  return directory
}

async function iommu(t: ExecutionContext, name: string, args: readonly string[] = []): Promise<CliResult> {
  return cli(['iommu', '--sysfs', await sysfs(t, name), ...args])
}

const topologies: readonly (readonly [string, Topology])[] = [
  ['ports-without-acs', 'A'],
  ['ports-with-acs', 'B'],
  ['acs-switched-off', 'B+R'],
]

for (const [name, topology] of topologies) {
  test(`${name}: groups as the kernel made them, and what is advised isolates each device`, async (t) => {
    const { devices } = await readPciHost(await sysfs(t, name), undefined)
    const named = new Map(
      devices.flatMap((device) => {
        const found = proofDeviceAt(device.address, device.parent ?? '')
        return found === undefined ? [] : [[found, device] as const]
      }),
    )
    t.deepEqual([...named.keys()].sort(), ['e', 'f', 'g', 'rp0', 'rp1'])
    for (const [proofName, { address }] of named) {
      if (proofName.startsWith('rp')) continue
      const { mode, parameters, narrow } = adviseAcs(devices, address)
      const acs = mode === 'missing' || mode === 'always' ? mode : 'off'
      t.is(mode === 'none', topology === 'B' && proofName === 'g')
      for (const options of [parameters, narrow]) {
        t.regex(groupsText(expectedGroups(topology, acs, options)), new RegExp(`\\{${proofName}\\}`))
      }
    }
  })
}

test('plain --acs is not advised where it has no effect', async (t) => {
  const missing = await iommu(t, 'ports-without-acs', ['--device', '02:00.0'])
  t.regex(missing.stdout, /host-kernel --acs, booted with pcie_acs_override=downstream\n/)
  const always = await iommu(t, 'acs-switched-off', ['--device', '0000:02:00.0'])
  t.regex(always.stdout, /controls off \(request redirect, completion redirect\)/)
  t.regex(always.stdout, /host-kernel --acs=always, booted with pcie_acs_override=downstream\n/)
  t.regex(always.stdout, /plain --acs has no effect/)
  const none = await iommu(t, 'ports-with-acs', ['--device', '02:00.0'])
  t.regex(none.stdout, /is alone in IOMMU group 5.*\nNo ACS override is needed/)
})

test('the table shows what the host uses', async (t) => {
  const { stdout, exitCode } = await iommu(t, 'whole-host')
  t.is(exitCode, 0)
  t.regex(stdout, /^1 +0000:00:1c\.0 +PCI bridge +1b36:000c +pcieport$/m)
  t.regex(stdout, /^ +0000:01:00\.0 +NVMe drive +1b36:0010 +nvme +disk nvme0n1$/m)
  t.regex(stdout, /VGA graphics .* boot VGA$/m)
  t.regex(stdout, /USB: QEMU USB Keyboard$/m)
  t.regex(stdout, /network eth0 \(up\)$/m)
})

test('a loud warning names what the host would lose', async (t) => {
  const { stdout } = await iommu(t, 'whole-host', ['--device', '04:00.0'])
  const [, warning = ''] = stdout.split('WARNING')
  for (const lost of ['disk nvme0n1', 'boot VGA', 'USB: QEMU USB Keyboard', 'network eth0 (up)']) {
    t.true(warning.includes(lost), lost)
  }
  const chipset = await iommu(t, 'whole-host', ['--device', '00:1f.2'])
  t.regex(chipset.stdout, /the whole slot: cannot go, it holds a part of the mainboard/)
  t.regex(chipset.stdout, /this function alone: no override does/)
  t.notRegex((await iommu(t, 'ports-without-acs', ['--device', '02:00.0'])).stdout, /WARNING/)
})

test('bridges and the mainboard stay with the host', async (t) => {
  t.regex((await iommu(t, 'whole-host', ['--device', '00:1c.0'])).stdout, /is a bridge: it stays/)
  t.regex((await iommu(t, 'whole-host', ['--device', '00:00.0'])).stdout, /part of the mainboard: it stays/)
})

test('the root file system’s disk and the default route are told apart from others', async (t) => {
  const directory = await sysfs(t, 'whole-host')
  const proc = await temporaryDirectory(t)
  await mkdir(join(proc, 'self'))
  await mkdir(join(proc, 'net'))
  const usesOf = async (root: string): Promise<readonly (string | boolean)[]> => {
    await writeFile(join(proc, 'self/mountinfo'), `22 1 ${root} / / rw - ext4 /dev/root rw\n`)
    const { devices } = await readPciHost(directory, proc)
    return devices
      .flatMap(({ uses }) => uses.filter(({ text }) => /disk|network/.test(text)))
      .flatMap(Object.values)
  }
  await writeFile(
    join(proc, 'net/route'),
    'Iface\neth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n',
  )
  t.deepEqual(await usesOf('259:1'), ['root disk nvme0n1', true, 'network eth0 (default route, up)', true])
  // The root is elsewhere: this disk is free to go.
  await mkdir(join(directory, 'devices/virtual/block/loop0'), { recursive: true })
  await symlink('../../devices/virtual/block/loop0', join(directory, 'dev/block/7:0'))
  t.deepEqual((await usesOf('7:0')).slice(0, 2), ['disk nvme0n1', false])
  // A volume that lies on the disk's partition.
  await mkdir(join(directory, 'devices/virtual/block/dm-0/slaves'), { recursive: true })
  await symlink('../../devices/virtual/block/dm-0', join(directory, 'dev/block/254:0'))
  await symlink(
    join(directory, 'class/block/nvme0n1p1'),
    join(directory, 'devices/virtual/block/dm-0/slaves/nvme0n1p1'),
  )
  t.deepEqual((await usesOf('254:0')).slice(0, 2), ['root disk nvme0n1', true])
  // Nothing to be found out: it may be the root.
  t.deepEqual((await usesOf('0:25')).slice(0, 2), ['disk nvme0n1', true])
})

test('who is not root is told that root sees more', async (t) => {
  const directory = await sysfs(t, 'acs-switched-off')
  const files = await readdir(join(directory, 'devices'), { recursive: true })
  for (const file of files.filter((name) => name.endsWith('/config'))) {
    const path = join(directory, 'devices', file)
    await writeFile(path, (await readFile(path)).subarray(0, 64))
  }
  const { stdout } = await cli(['iommu', '--sysfs', directory, '--device', '01:00.0'])
  t.regex(stdout, /may lack ACS; only root can read whether it has it/)
  t.regex(stdout, /--acs or --acs=always, booted with pcie_acs_override=downstream,multifunction/)
})

test('two cards behind a conventional bridge stay together, those behind a switch are apart', async (t) => {
  const { devices } = await readPciHost(await sysfs(t, 'conventional-bridge'), undefined)
  const cards = devices.filter(({ classCode }) => classCode === 0x020000).map(({ address }) => address)
  t.deepEqual(
    cards.map((address) => adviseAcs(devices, address).mode),
    ['impossible', 'impossible', 'none', 'none'],
  )
})

test('without an IOMMU it says what to switch on', async (t) => {
  const off = await iommu(t, 'iommu-off')
  t.is(off.exitCode, 0)
  t.regex(off.stdout, /There are no IOMMU groups/)
  t.regex(off.stdout, /VT-d/)
  const json = await iommu(t, 'iommu-off', ['--json', '--device', '01:00.0'])
  t.deepEqual(JSON.parse(json.stdout), { version: 1, iommu: 'off', groups: [] })
})

test('one JSON document with groups and advice', async (t) => {
  const { stdout } = await iommu(t, 'acs-switched-off', ['--json', '--device', '02:00.0'])
  const document = JSON.parse(stdout) as {
    groups: { id: number; devices: { address: string }[] }[]
    advice: object
  }
  t.deepEqual(
    document.groups[1]?.devices.map(({ address }) => address),
    ['0000:00:1c.0', '0000:00:1c.1', '0000:01:00.0', '0000:01:00.1', '0000:02:00.0'],
  )
  t.like(document.advice, { address: '0000:02:00.0', group: 1, mode: 'always', parameters: ['downstream'] })
})

test('wrong addresses, devices and directories are usage errors', async (t) => {
  for (const [args, code] of [
    [['--device', '1:0'], 'E_PCI_ADDRESS'],
    [['--device', '09:00.0'], 'E_DEVICE_MISSING'],
    [['--device', '00000009:00:00.0'], 'E_DEVICE_MISSING'],
  ] as const) {
    const { exitCode, stderr } = await iommu(t, 'ports-with-acs', args)
    t.is(exitCode, 2)
    t.regex(stderr, new RegExp(code))
  }
  for (const directory of ['/nowhere', 'package.json', 'src']) {
    const { exitCode, stderr, stdout } = await cli(['iommu', '--json', '--sysfs', directory])
    t.is(exitCode, 2)
    t.is((JSON.parse(stderr) as { code: string }).code, 'E_SYSFS')
    t.is(stdout, '')
  }
})
