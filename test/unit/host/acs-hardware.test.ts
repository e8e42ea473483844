import test from 'ava'
import { adviseAcs } from '../../../src/core/host/acs-advice.ts'
import { readAcsOverride, type AcsMode } from '../../../src/core/host/acs-override.ts'
import { acsMachine, groupsWith } from '../../../src/core/host/acs-search.ts'
import {
  declaresIsolation,
  isMultifunction,
  isVouchedFor,
  pciMachine,
} from '../../../src/core/host/kernel-groups.ts'
import type { PciConfig, PciDevice } from '../../../src/core/host/pci-device.ts'
import { planPassthrough } from '../../../src/core/host/passthrough.ts'

/*
 * Machines with hardware that QEMU does not have, and real ones that people asked about. Their groups are those that
 * the model makes, which is compared with boots in kernel-groups.test.ts.
 */

const acsOn = { capability: 0x1f, control: 0x1d }
const acsOff = { capability: 0x1f, control: 0x00 }

function device(
  address: string,
  id: string,
  config: Partial<PciConfig>,
  more: Partial<PciDevice> = {},
): PciDevice {
  return {
    address,
    parent: undefined,
    classCode: 0x020000,
    id,
    driver: undefined,
    group: undefined,
    config: { multifunction: false, express: 'endpoint', acs: 'absent', ...config },
    uses: [],
    ...more,
  }
}
const port = (
  address: string,
  id: string,
  config: Partial<PciConfig>,
  more: Partial<PciDevice> = {},
): PciDevice =>
  device(
    address,
    id,
    { express: 'root-port', ...config },
    { classCode: 0x060400, driver: 'pcieport', ...more },
  )

/** Puts devices into the groups that a kernel without the patch, or one with an override, makes. */
function grouped(
  devices: readonly PciDevice[],
  setting?: { readonly mode: 'missing' | 'always'; readonly parameters: readonly string[] },
): readonly PciDevice[] {
  const groups = groupsWith(acsMachine(devices, []), setting)
  return devices.map((each) => ({ ...each, group: groups.get(each.address) }))
}

/** The members of a device's group with an override, by the model. */
function groupWith(
  devices: readonly PciDevice[],
  address: string,
  mode: 'missing' | 'always',
  parameters: readonly string[],
): readonly string[] {
  const known = acsMachine(devices, [])
  const groups = groupsWith(known, { mode, parameters })
  return devices.flatMap((each) => (groups.get(each.address) === groups.get(address) ? [each.address] : []))
}

test('IOMMU advice that splits: a dual-port card with ACS on its functions behind a port without', (t) => {
  const card = (fn: number): PciDevice =>
    device(`0000:01:00.${fn}`, '15b3:1017', { multifunction: true, acs: acsOn }, { parent: '0000:00:01.0' })
  const devices = grouped([port('0000:00:01.0', '8086:1901', {}), card(0), card(1)])
  const advice = adviseAcs(devices, '0000:01:00.1')
  t.like(advice, { alone: false, mode: 'missing' })
  t.deepEqual(advice.parameters, ['downstream'])
  t.deepEqual(advice.narrow, ['id:8086:1901'])
  t.deepEqual(
    advice.reasons.map(({ address }) => address),
    ['0000:00:01.0'],
  )
  t.deepEqual(groupWith(devices, '0000:01:00.1', 'missing', ['multifunction']).length, 3)
  t.deepEqual(groupWith(devices, '0000:01:00.1', 'missing', ['downstream']), ['0000:01:00.1'])
  t.is(advice.card.mode, 'none')
})

test('IOMMU advice that splits: functions whose own ACS is off need always, whatever the port', (t) => {
  const card = (fn: number): PciDevice =>
    device(`0000:01:00.${fn}`, '15b3:1017', { multifunction: true, acs: acsOff }, { parent: '0000:00:01.0' })
  const devices = grouped([port('0000:00:01.0', '8086:1901', { acs: acsOn }), card(0), card(1)])
  const advice = adviseAcs(devices, '0000:01:00.0')
  t.like(advice, { mode: 'always', reasons: [{ kind: 'function', acs: 'off' }] })
  t.deepEqual(advice.parameters, ['multifunction'])
})

for (const [id, name] of [
  ['1b4b:9230', 'Marvell 88SE9230'],
  ['1b4b:9128', 'Marvell 88SE9128'],
  ['197b:2392', 'JMicron JMB388'],
  ['1103:0642', 'HighPoint RocketRAID'],
] as const) {
  test(`IOMMU advice, requester id of another: ${name} goes with its second function only`, (t) => {
    const function0 = device(
      '0000:02:00.0',
      id,
      { multifunction: true },
      { classCode: 0x010601, parent: '0000:00:1c.0' },
    )
    const function1 = device(
      '0000:02:00.1',
      '1b4b:91a4',
      { multifunction: true },
      { parent: '0000:00:1c.0', classCode: 0x01018f },
    )
    const devices = grouped([port('0000:00:1c.0', '8086:a118', { acs: acsOn }), function0, function1])
    for (const { address } of [function0, function1]) {
      const advice = adviseAcs(devices, address)
      t.like(advice, { mode: 'impossible', parameters: [], narrow: [] })
      t.true(advice.reasons.some(({ kind, address }) => kind === 'alias' && address === '0000:02:00.0'))
      t.is(advice.card.mode, 'none')
    }
  })
}

test('IOMMU advice, requester id of another: one whose second function is not there is alone', (t) => {
  const sata = device('0000:02:00.0', '1b4b:9230', {}, { parent: '0000:00:1c.0' })
  const devices = grouped([port('0000:00:1c.0', '8086:a118', { acs: acsOn }), sata])
  t.like(adviseAcs(devices, sata.address), { alone: true, mode: 'none' })
})

test('IOMMU advice, fixed alias: an Adaptec controller on the board that has it, and on another one', (t) => {
  const bridge = port('0000:01:00.0', '8086:0330', { express: 'upstream-port' }, { parent: '0000:00:1c.0' })
  const adaptec = (subsystem: string): readonly PciDevice[] =>
    grouped([
      port('0000:00:1c.0', '8086:a118', { acs: acsOn }),
      bridge,
      device('0000:02:01.0', '9005:0286', {}, { parent: bridge.address }),
      device('0000:02:0e.0', '9005:0285', { subsystem }, { parent: bridge.address }),
    ])
  t.is(adviseAcs(adaptec('9005:02bb'), '0000:02:0e.0').mode, 'impossible')
  t.is(adviseAcs(adaptec('9005:0000'), '0000:02:0e.0').mode, 'none')
})

test('IOMMU advice, VMD: nothing behind it can be split; the controller is named', (t) => {
  const domainController = '0000:00:0e.0'
  const behind = { domainController, classCode: 0x010802 }
  const devices = grouped([
    device(domainController, '8086:9a0b', { integrated: true }, { classCode: 0x010400, driver: 'vmd' }),
    port('10000:e0:06.0', '8086:9a09', { acs: acsOn }, { domainController }),
    port('10000:e0:1c.0', '8086:a0b8', { acs: acsOn }, { domainController }),
    device('10000:e1:00.0', '144d:a80a', {}, { ...behind, parent: '10000:e0:06.0' }),
    device('10000:e2:00.0', '144d:a80a', {}, { ...behind, parent: '10000:e0:1c.0' }),
  ])
  t.is(new Set(devices.map(({ group }) => group)).size, 1)
  const advice = adviseAcs(devices, '10000:e1:00.0')
  t.like(advice, {
    mode: 'impossible',
    parameters: [],
    reasons: [{ kind: 'domain', address: domainController }],
  })
  t.deepEqual(
    advice.others.map(({ address }) => address),
    [domainController, '10000:e2:00.0'],
  )
  t.like(adviseAcs(devices, domainController), {
    mode: 'impossible',
    reasons: [{ kind: 'domain', address: domainController }],
  })
  // The group and the domain's number do where the path does not tell.
  const untold = devices.map(({ address, id, config, parent, classCode, driver, group }) =>
    device(address, id, config, { parent, classCode, driver, group }),
  )
  t.like(adviseAcs(untold, '10000:e1:00.0'), {
    mode: 'impossible',
    reasons: [{ kind: 'domain', address: domainController }],
  })
  t.true(
    planPassthrough(['10000:e1:00.0'], devices, 'missing').warnings.some((text) =>
      /no ACS override/.test(text),
    ),
  )
})

test('IOMMU advice: bridges without a driver stay with the host, those with a driver of their own go along', (t) => {
  const dummy = device(
    '0000:00:01.0',
    '1022:1482',
    { express: 'absent', multifunction: true },
    { classCode: 0x060000 },
  )
  const devices = (driver: string | undefined, harmless = 'pcieport'): readonly PciDevice[] => [
    { ...dummy, driver, group: 1 },
    port('0000:00:01.1', '1022:1483', { multifunction: true, acs: acsOff }, { group: 1, driver: harmless }),
    device('0000:01:00.0', '10de:1c82', {}, { parent: '0000:00:01.1', group: 1 }),
  ]
  t.like(adviseAcs(devices(undefined), '0000:01:00.0'), { alone: true, mode: 'none' })
  t.deepEqual(
    adviseAcs(devices(undefined), '0000:01:00.0').staying.map(({ address }) => address),
    ['0000:00:01.0', '0000:00:01.1'],
  )
  t.deepEqual(
    adviseAcs(devices('some_uncore'), '0000:01:00.0').others.map(({ address }) => address),
    ['0000:00:01.0'],
  )
  t.deepEqual(planPassthrough(['0000:01:00.0'], devices(undefined), 'off').warnings, [])
})

test('IOMMU advice: ports that a quirk should isolate and that the groups show not to', (t) => {
  // Intel's chipset ports without the capability: the kernel's workaround may not be possible on a board.
  const devices = [
    port('0000:00:1c.0', '8086:8c10', { multifunction: true }, { group: 1 }),
    port('0000:00:1c.2', '8086:8c14', { multifunction: true }, { group: 1 }),
    device('0000:01:00.0', '10de:1c82', {}, { parent: '0000:00:1c.0', group: 1 }),
    device('0000:02:00.0', '8086:1533', {}, { parent: '0000:00:1c.2', group: 1 }),
  ]
  t.like(adviseAcs(devices, '0000:02:00.0'), { mode: 'missing', parameters: ['downstream'] })
  const worked = devices.map((each, at) => ({ ...each, group: at }))
  t.is(adviseAcs(worked, '0000:02:00.0').mode, 'none')
})

test('IOMMU advice: an override that is in force is told and kept, not taken for the hardware’s work', (t) => {
  const bare = [
    port('0000:00:1c.0', '8086:1234', { multifunction: true }),
    port('0000:00:1c.1', '8086:1234', { multifunction: true }),
    device('0000:01:00.0', '10de:1c82', {}, { parent: '0000:00:1c.0' }),
    device('0000:02:00.0', '8086:1533', {}, { parent: '0000:00:1c.1' }),
  ]
  const running = ['downstream', 'multifunction']
  const split = grouped(bare, { mode: 'missing', parameters: running })
  const advice = adviseAcs(split, '0000:01:00.0', running)
  t.like(advice, { alone: true, mode: 'missing', inForce: running })
  t.deepEqual(advice.parameters, ['downstream'])
  t.deepEqual(planPassthrough(['0000:01:00.0'], split, 'missing', running).acsParameters, ['downstream'])
  // A kernel without the patch ignores what it is told.
  const ignored = adviseAcs(grouped(bare), '0000:01:00.0', running)
  t.like(ignored, { alone: false, mode: 'missing', inForce: undefined })
  const closed = bare.map((each) => ({ ...each, config: { ...each.config, acs: acsOff } }))
  const always = grouped(closed, { mode: 'always', parameters: ['downstream'] })
  t.is(adviseAcs(always, '0000:01:00.0', ['downstream']).mode, 'always')
})

test('IOMMU model: virtual functions are no functions of a multifunction device', (t) => {
  const physical = device('0000:01:00.0', '8086:1521', {}, { parent: '0000:00:01.0' })
  const virtual = device(
    '0000:01:10.1',
    '8086:1520',
    {},
    { parent: '0000:00:01.0', physicalFunction: physical.address },
  )
  const machine = pciMachine([port('0000:00:01.0', '8086:1901', {}), physical, virtual])
  t.false(isMultifunction(machine, virtual))
  // A function above 7 of the one device behind a port (ARI).
  const high = device('0000:01:01.0', '8086:1521', {}, { parent: '0000:00:01.0' })
  t.true(isMultifunction(pciMachine([port('0000:00:01.0', '8086:1901', {}), physical, high]), high))
  t.true(declaresIsolation(machine, virtual))
})

test('IOMMU model: the override vouches as the patch says', (t) => {
  const root = port('0000:00:01.0', '8086:1901', { acs: acsOff })
  const bridge = port('0000:01:00.0', '1b21:1080', { express: 'pci-bridge' }, { parent: root.address })
  const upstream = port('0000:03:00.0', '10b5:8747', { express: 'upstream-port', multifunction: true })
  const machine = pciMachine([root, bridge, upstream])
  const vouched = (each: PciDevice, mode: AcsMode, text: string): boolean =>
    isVouchedFor(machine, each, { mode, override: readAcsOverride(text.split(',')) })
  t.false(vouched(root, 'missing', 'downstream,id:8086:1901'))
  t.true(vouched(root, 'always', 'downstream'))
  t.false(vouched(root, 'off', 'downstream'))
  t.false(vouched(bridge, 'always', 'downstream,multifunction'))
  t.true(vouched(bridge, 'always', 'id:1b21:1080'), 'it is PCI Express, and named')
  t.true(vouched(upstream, 'missing', 'multifunction'))
  t.false(vouched(upstream, 'missing', 'downstream'))
})
