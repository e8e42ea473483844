import test from 'ava'
import { adviseAcs, type AcsRemedy } from '../../../src/core/host/acs-advice.ts'
import { pciMachine, slotMates } from '../../../src/core/host/kernel-groups.ts'
import { isBridge, isChipset, staysWithHost } from '../../../src/core/host/pci-device.ts'
import {
  addressGroupsText,
  bootedMachines,
  modelParameters,
  pciDevices,
  type BootedGroups,
  type BootedMachine,
} from '../../helpers/iommu-boots.ts'
import { modelGroups } from '../../helpers/iommu-model.ts'

const machines = bootedMachines()

test('IOMMU model: machines of every kind were booted', (t) => {
  t.true(machines.length >= 20)
  for (const { name, boots } of machines) t.true(boots.length >= 10, name)
})

for (const machine of machines) {
  test(`IOMMU model: ${machine.name}: the groups that ${machine.kernel} made`, (t) => {
    for (const boot of machine.boots) {
      const booted = boot.groups.map((group) => [...group])
      t.is(
        addressGroupsText(modelGroups(machine, boot)),
        addressGroupsText(booted),
        `${boot.mode} ${boot.parameters.join(',')}`,
      )
    }
  })

  test(`IOMMU advice: ${machine.name}: what is advised splits in a boot, and no smaller setting does`, (t) => {
    const without = machine.boots.find(({ parameters }) => parameters.length === 0)
    const devices = pciDevices(machine, without?.groups ?? [])
    for (const device of devices) {
      if (staysWithHost(device) || isChipset(device)) continue
      const { card, ...own } = adviseAcs(devices, device.address)
      const mates = slotMates(pciMachine(devices), device).filter((mate) => !staysWithHost(mate))
      const slot = [device.address, ...mates.map(({ address }) => address)]
      for (const [remedy, wanted] of [
        [own, [device.address]],
        [card, slot],
      ] as const) {
        t.deepEqual(faults(machine, wanted, remedy), [], wanted.join(' '))
      }
    }
  })
}

/** What the boots say against a remedy for devices that are handed over together. */
function faults(machine: BootedMachine, wanted: readonly string[], remedy: AcsRemedy): readonly string[] {
  const splitting = machine.boots.filter((boot) => splitIn(machine, boot, wanted))
  const said = (boot: BootedGroups): string => `${boot.mode} ${boot.parameters.join(',')}`
  switch (remedy.mode) {
    case 'none':
      return splitting.length === machine.boots.length ? [] : ['is not split without an override']
    case 'impossible':
      return splitting.map((boot) => `is split by ${said(boot)}`)
    case 'unknown':
      return ['is unknown although all could be read']
    case 'missing':
    case 'always': {
      const same = (parameters: readonly string[]) => (boot: BootedGroups) =>
        boot.mode === remedy.mode && modelParameters(boot.parameters).join(',') === parameters.join(',')
      const narrow = machine.boots.find(same(remedy.narrow))
      return [
        ...(splitting.some(same(remedy.parameters)) ? [] : [`${remedy.parameters.join(',')} does not split`]),
        ...splitting.filter((boot) => isSmaller(boot, remedy)).map((boot) => `${said(boot)} does it too`),
        ...(narrow === undefined || splitting.includes(narrow) ? [] : [`${said(narrow)} does not split`]),
        ...(remedy.narrow.length === 0 ? ['ids do not do it'] : []),
      ]
    }
  }
}

/** Options of kinds only: ids are another way to say the same of fewer devices. */
const isSmaller = (boot: BootedGroups, remedy: AcsRemedy): boolean =>
  (boot.mode === 'missing' || remedy.mode === 'always') &&
  boot.parameters.every((option) => remedy.parameters.includes(option)) &&
  (boot.mode !== remedy.mode || boot.parameters.length < remedy.parameters.length)

function splitIn(machine: BootedMachine, { groups }: BootedGroups, wanted: readonly string[]): boolean {
  const free = machine.devices.filter(
    (device) => wanted.includes(device.address) || device.class.startsWith('06'),
  )
  const may = new Set(free.map(({ address }) => address))
  return wanted.every((address) => {
    const group = groups.find((members) => members.includes(address)) ?? []
    return group.length > 0 && group.every((member) => may.has(member))
  })
}

test('IOMMU advice: every mode of a remedy was seen in boots', (t) => {
  const modes = new Set(
    machines.flatMap((machine) => {
      const without = machine.boots.find(({ parameters }) => parameters.length === 0)
      const devices = pciDevices(machine, without?.groups ?? [])
      return devices
        .filter((device) => !isBridge(device) && !isChipset(device))
        .map(({ address }) => adviseAcs(devices, address).mode)
    }),
  )
  t.deepEqual([...modes].sort(), ['always', 'impossible', 'missing', 'none'])
})
