import { writeFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { declaresIsolation, kernelGroups, pciMachine } from '../../../src/core/host/kernel-groups.ts'
import { planPassthrough } from '../../../src/core/host/passthrough.ts'
import { readPciHost } from '../../../src/effects/sysfs-pci.ts'
import { cli } from '../../helpers/cli.ts'
import { unpackSysfs } from '../../helpers/sysfs-dump.ts'
import { configSpace, writeSysfs, type TreeDevice } from '../../helpers/sysfs-tree.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

async function advice(t: ExecutionContext, devices: readonly TreeDevice[], address: string): Promise<string> {
  const directory = await temporaryDirectory(t)
  await writeSysfs(directory, devices)
  const { stdout, exitCode } = await cli(['iommu', '--sysfs', directory, '--device', address])
  t.is(exitCode, 0)
  return stdout
}

const acsOn = { capability: 0x1f, control: 0x1d }
const acsOff = { capability: 0x1f, control: 0x00 }

test('IOMMU advice that splits: a card alone behind a port without ACS, in a copy without symbolic links', async (t) => {
  const directory = await temporaryDirectory(t)
  await unpackSysfs('test/fixtures/sysfs/gpu-alone.tar.gz', directory)
  const { stdout } = await cli(['iommu', '--sysfs', directory, '--device', '01:00.0'])
  t.regex(stdout, /the whole card: nothing is needed/)
  t.regex(
    stdout,
    /this function alone: .* --acs, booted with pcie_acs_override=downstream,multifunction\n.*override=id:8086:1901,id:10de:2184\)/,
  )
  t.regex(stdout, /stays with the host.*: 0000:00:01\.0\n/)
})

test('IOMMU advice, whole card handed over: nothing is needed, and the kernel is told nothing', async (t) => {
  const directory = await temporaryDirectory(t)
  await unpackSysfs('test/fixtures/sysfs/gpu-alone.tar.gz', directory)
  const { devices } = await readPciHost(directory, undefined)
  const functions = ['0', '1', '2', '3'].map((fn) => `0000:01:00.${fn}`)
  const whole = planPassthrough(functions, devices, 'missing')
  t.deepEqual(whole.acsParameters, [])
  t.is(whole.warnings.filter((text) => text.includes('needs no ACS override')).length, 4)
  const alone = planPassthrough(functions.slice(0, 1), devices, 'missing')
  t.deepEqual(alone.acsParameters, ['downstream', 'multifunction'])
  // Two of four: the rest of the card has to stay out of their groups.
  const two = planPassthrough(functions.slice(0, 2), devices, 'always')
  t.deepEqual(two.acsParameters, ['downstream', 'multifunction'])
  for (const { warnings } of [whole, alone, two]) t.false(warnings.some((text) => text.includes('only root')))
})

test('IOMMU advice for root: a group that nothing explains is not told as a matter of rights', async (t) => {
  const directory = await temporaryDirectory(t)
  const odd: readonly TreeDevice[] = [
    {
      path: 'pci0000:00/0000:00:1c.0',
      id: '8086:1234',
      class: '060400',
      group: 1,
      config: configSpace('root-port', { acs: acsOn }),
    },
    {
      path: 'pci0000:00/0000:00:1c.0/0000:01:00.0',
      id: '10de:1c82',
      class: '030000',
      group: 1,
      config: configSpace('endpoint'),
    },
    {
      path: 'pci0000:00/0000:00:02.0',
      id: '8086:1533',
      class: '020000',
      group: 1,
      config: configSpace('endpoint'),
    },
  ]
  await writeSysfs(directory, odd)
  const { devices } = await readPciHost(directory, undefined)
  const plan = planPassthrough(['0000:01:00.0'], devices, 'missing')
  t.regex(plan.warnings.join('\n'), /nothing in the configuration space .* says why/)
  t.notRegex(plan.warnings.join('\n'), /root may read/)
  t.regex((await cli(['iommu', '--sysfs', directory, '--device', '01:00.0'])).stdout, /unknown; a quirk/)
})

test('IOMMU advice, VMD: the text names the controller and the way out', async (t) => {
  const domain = 'pci0000:00/0000:00:0e.0/pci10000:e0'
  const text = await advice(
    t,
    [
      {
        path: 'pci0000:00/0000:00:0e.0',
        id: '8086:9a0b',
        class: '010400',
        group: 7,
        driver: 'vmd',
        config: configSpace('endpoint'),
      },
      {
        path: `${domain}/10000:e0:06.0`,
        id: '8086:9a09',
        class: '060400',
        group: 7,
        driver: 'pcieport',
        config: configSpace('root-port', { acs: acsOn }),
      },
      {
        path: `${domain}/10000:e0:06.0/10000:e1:00.0`,
        id: '144d:a80a',
        class: '010802',
        group: 7,
        driver: 'nvme',
        config: configSpace('endpoint'),
      },
    ],
    '10000:e1:00.0',
  )
  t.regex(text, /0000:00:0e\.0 \(8086:9a0b\) is a controller \(Intel VMD\)/)
  t.regex(text, /no override does\n.*switch VMD off in the BIOS/)
  t.regex(text, /pass 0000:00:0e\.0 itself/)
})

const marvell = (group: number): readonly TreeDevice[] => [
  {
    path: 'pci0000:00/0000:00:1c.0',
    id: '8086:a118',
    class: '060400',
    group: 3,
    driver: 'pcieport',
    config: configSpace('root-port', { acs: acsOn }),
  },
  {
    path: 'pci0000:00/0000:00:1c.0/0000:02:00.0',
    id: '1b4b:9128',
    class: '010601',
    group,
    config: configSpace('endpoint', { multifunction: true }),
  },
  {
    path: 'pci0000:00/0000:00:1c.0/0000:02:00.1',
    id: '1b4b:91a4',
    class: '01018f',
    group,
    config: configSpace('endpoint', { multifunction: true }),
  },
]

test('IOMMU advice, requester id of another: the text says who bears whose name, and to pass both', async (t) => {
  for (const address of ['02:00.0', '02:00.1']) {
    const text = await advice(t, marvell(4), address)
    t.regex(text, /0000:02:00\.0 \(1b4b:9128\) reads and writes memory in the name of another function/)
    t.regex(text, /the whole card: nothing is needed/)
    t.regex(text, /this function alone: no override does\n.*pass all functions of the card together/)
  }
})

test('IOMMU advice: a dummy host bridge and a port without a driver are not told to go along', async (t) => {
  const text = await advice(
    t,
    [
      {
        path: 'pci0000:00/0000:00:01.0',
        id: '1022:1482',
        class: '060000',
        group: 2,
        config: configSpace(null, { multifunction: true }),
      },
      {
        path: 'pci0000:00/0000:00:01.1',
        id: '1022:1483',
        class: '060400',
        group: 2,
        config: configSpace('root-port', { multifunction: true, acs: acsOff }),
      },
      {
        path: 'pci0000:00/0000:00:01.1/0000:01:00.0',
        id: '10de:1c82',
        class: '030000',
        group: 2,
        config: configSpace('endpoint'),
      },
    ],
    '01:00.0',
  )
  t.regex(text, /is alone in IOMMU group 2: it can be passed through as it is\.\n/)
  t.regex(text, /stays with the host.*: 0000:00:01\.0, 0000:00:01\.1\nNo ACS override is needed/)
  t.notRegex(text, /go along|WARNING/)
})

test('IOMMU advice, SR-IOV: a virtual function is known by its link', async (t) => {
  const directory = await temporaryDirectory(t)
  await writeSysfs(directory, [
    {
      path: 'pci0000:00/0000:00:1c.0',
      id: '8086:a118',
      class: '060400',
      group: 3,
      config: configSpace('root-port'),
    },
    {
      path: 'pci0000:00/0000:00:1c.0/0000:02:00.0',
      id: '8086:1572',
      class: '020000',
      group: 3,
      config: configSpace('endpoint'),
    },
    {
      path: 'pci0000:00/0000:00:1c.0/0000:02:02.1',
      id: '8086:154c',
      class: '020000',
      group: 3,
      physicalFunction: '0000:02:00.0',
      config: configSpace('endpoint'),
    },
  ])
  const { devices } = await readPciHost(directory, undefined)
  t.is(devices.find(({ address }) => address === '0000:02:02.1')?.physicalFunction, '0000:02:00.0')
  const { stdout } = await cli(['iommu', '--sysfs', directory, '--device', '02:02.1'])
  t.regex(stdout, /it alone: .* --acs, booted with pcie_acs_override=downstream\n/)
})

test('IOMMU advice: the override that the machine was booted with is read from its command line', async (t) => {
  const directory = await temporaryDirectory(t)
  const proc = await temporaryDirectory(t)
  await writeSysfs(directory, marvell(4))
  await mkdir(join(proc, 'self'))
  await writeFile(join(proc, 'cmdline'), 'root=/dev/sda1 pcie_acs_override=downstream,,id:8086:a118 quiet\n')
  t.deepEqual((await readPciHost(directory, proc)).acsOverride, ['downstream', 'id:8086:a118'])
  t.deepEqual((await readPciHost(directory, undefined)).acsOverride, [])
})

for (const name of [
  'ports-without-acs',
  'ports-with-acs',
  'acs-switched-off',
  'whole-host',
  'conventional-bridge',
  'gpu-alone',
]) {
  test(`IOMMU model: ${name}: the groups that sysfs shows, from registers alone`, async (t) => {
    const directory = await temporaryDirectory(t)
    await unpackSysfs(`test/fixtures/sysfs/${name}.tar.gz`, directory)
    const { devices } = await readPciHost(directory, undefined)
    const machine = pciMachine(devices)
    const groups = kernelGroups(machine, (device) => declaresIsolation(machine, device) === true)
    for (const a of devices) {
      for (const b of devices) {
        t.is(
          groups.get(a.address) === groups.get(b.address),
          a.group === b.group,
          `${a.address} ${b.address}`,
        )
      }
    }
  })
}
