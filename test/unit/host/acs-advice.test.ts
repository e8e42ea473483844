import test from 'ava'
import { adviseAcs } from '../../../src/core/host/acs-advice.ts'
import { iommuGroups } from '../../../src/core/host/iommu-groups.ts'
import type { AcsRegisters, Known, PciDevice } from '../../../src/core/host/pci-device.ts'

const noAcs = 'absent'
const acsOn: AcsRegisters = { capability: 0x1f, control: 0x1d }
const acsOffState: AcsRegisters = { capability: 0x1f, control: 0x11 }

const port = (address: string, group: number, acs: Known<AcsRegisters>, parent?: string): PciDevice => ({
  address,
  parent,
  classCode: 0x060400,
  id: '8086:1234',
  driver: 'pcieport',
  group,
  config: { multifunction: true, express: parent === undefined ? 'root-port' : 'downstream-port', acs },
  uses: [],
})

const card = (
  address: string,
  group: number,
  parent: string | undefined,
  more: Partial<PciDevice> = {},
): PciDevice => ({
  address,
  parent,
  classCode: 0x020000,
  id: '10de:1c82',
  driver: undefined,
  group,
  config: { multifunction: false, express: 'endpoint', acs: noAcs },
  uses: [],
  ...more,
})

test('a device with its port only is alone: bridges stay with the host', (t) => {
  const devices = [port('0000:00:01.0', 1, noAcs), card('0000:01:00.0', 1, '0000:00:01.0')]
  t.like(adviseAcs(devices, '0000:01:00.0'), { alone: true, mode: 'none', parameters: [] })
})

test('IOMMU advice that splits: the usual graphics card behind a port without ACS needs both options for one function', (t) => {
  const devices = [
    port('0000:00:01.0', 1, noAcs),
    card('0000:01:00.0', 1, '0000:00:01.0'),
    card('0000:01:00.1', 1, '0000:00:01.0'),
  ]
  const advice = adviseAcs(devices, '0000:01:00.1')
  t.false(advice.alone)
  t.is(advice.mode, 'missing')
  t.deepEqual(advice.parameters, ['downstream', 'multifunction'])
  t.deepEqual(advice.narrow, ['id:8086:1234', 'id:10de:1c82'])
  t.is(advice.card.mode, 'none')
})

for (const [name, acs, mode] of [
  ['lack ACS', noAcs, 'missing'],
  ['have it switched off', acsOffState, 'always'],
  ['cannot be read', 'unknown', 'unknown'],
] as const) {
  test(`two ports of one slot that ${name}: ${mode}`, (t) => {
    const devices = [
      port('0000:00:1c.0', 1, acs),
      port('0000:00:1c.1', 1, acs),
      card('0000:01:00.0', 1, '0000:00:1c.0'),
      card('0000:02:00.0', 1, '0000:00:1c.1'),
    ]
    t.like(adviseAcs(devices, '0000:02:00.0'), { mode, parameters: ['downstream'], narrow: ['id:8086:1234'] })
  })
}

test('every port on the way up counts; one that isolates does not', (t) => {
  const chain = (root: Known<AcsRegisters>, down: Known<AcsRegisters>): readonly PciDevice[] => [
    port('0000:00:1c.0', 1, root),
    port('0000:02:01.0', 1, down, '0000:00:1c.0'),
    card('0000:03:00.0', 1, '0000:02:01.0'),
    card('0000:04:00.0', 1, '0000:00:1c.0'),
  ]
  const reasons = (devices: readonly PciDevice[]): readonly string[] =>
    adviseAcs(devices, '0000:03:00.0').reasons.map(({ address }) => address)
  t.deepEqual(reasons(chain(noAcs, noAcs)), ['0000:02:01.0', '0000:00:1c.0'])
  t.deepEqual(reasons(chain(noAcs, acsOn)), ['0000:00:1c.0'])
  t.is(adviseAcs(chain(acsOffState, noAcs), '0000:03:00.0').mode, 'always')
})

test('ports that a quirk of the kernel isolates are seen by their groups', (t) => {
  const devices = [
    port('0000:00:1c.0', 1, noAcs),
    card('0000:01:00.0', 2, '0000:00:1c.0'),
    card('0000:01:00.1', 2, '0000:00:1c.0'),
  ]
  t.deepEqual(adviseAcs(devices, '0000:01:00.1').parameters, ['multifunction'])
})

test('what hangs on conventional PCI cannot be split', (t) => {
  const bridge: PciDevice = {
    ...port('0000:01:00.0', 1, noAcs, '0000:00:1c.0'),
    config: { multifunction: false, express: 'pci-bridge', acs: noAcs },
  }
  const conventional = { config: { multifunction: false, express: 'absent', acs: 'absent' } } as const
  const devices = [
    port('0000:00:1c.0', 0, acsOn),
    bridge,
    card('0000:02:01.0', 1, bridge.address, conventional),
    card('0000:02:02.0', 1, bridge.address, conventional),
  ]
  t.like(adviseAcs(devices, '0000:02:01.0'), { mode: 'impossible', parameters: [] })
})

test('a group that nothing explains is said to be so', (t) => {
  const devices = [
    port('0000:00:1c.0', 1, acsOn),
    card('0000:01:00.0', 1, '0000:00:1c.0'),
    card('0000:02:00.0', 1, undefined),
  ]
  t.like(adviseAcs(devices, '0000:01:00.0'), { mode: 'unknown', parameters: [], reasons: [] })
})

test('groups come by number; without an IOMMU there is none', (t) => {
  const devices = [card('0000:02:00.0', 10, undefined), card('0000:01:00.0', 9, undefined)]
  t.deepEqual(
    iommuGroups(devices).map(({ id }) => id),
    [9, 10],
  )
  const off = devices.map((device) => ({ ...device, group: undefined }))
  t.deepEqual(iommuGroups(off), [])
  t.like(adviseAcs(off, '0000:01:00.0'), { group: undefined, alone: true })
})
