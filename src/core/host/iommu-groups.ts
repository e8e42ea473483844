import { acsOff, isBridge, slotOf, type PciDevice } from './pci-device.ts'

export interface IommuGroup {
  readonly id: number
  readonly devices: readonly PciDevice[]
}

/** Groups by number, devices by address. */
export function iommuGroups(devices: readonly PciDevice[]): readonly IommuGroup[] {
  const byId = new Map<number, PciDevice[]>()
  for (const device of devices) {
    if (device.group === undefined) continue
    byId.set(device.group, [...(byId.get(device.group) ?? []), device])
  }
  return [...byId.entries()]
    .sort(([a], [b]) => a - b)
    .map(([id, members]) => ({ id, devices: members.sort((a, b) => (a.address < b.address ? -1 : 1)) }))
}

/** The bridges above a device, the nearest first. */
export function bridgesAbove(device: PciDevice, devices: readonly PciDevice[]): readonly PciDevice[] {
  const above: PciDevice[] = []
  const find = (address: string | undefined): PciDevice | undefined =>
    devices.find((other) => other.address === address)
  for (let bridge = find(device.parent); bridge !== undefined; bridge = find(bridge.parent))
    above.push(bridge)
  return above
}

export const slotMates = (device: PciDevice, devices: readonly PciDevice[]): readonly PciDevice[] =>
  devices.filter(
    (other) => other.address !== device.address && slotOf(other.address) === slotOf(device.address),
  )

/** What the kernel calls multifunction: the header says so of function 0, others are so by being there. */
const isOneOfSeveral = ({ address, config }: PciDevice): boolean =>
  config.multifunction || !address.endsWith('.0')

/**
 * Whether a device keeps its peers apart, as pci_acs_enabled() of drivers/pci/pci.c decides. The groups that
 * the kernel made are asked first: they know its quirks.
 */
export function isolates(device: PciDevice, devices: readonly PciDevice[]): boolean {
  if (shownByGroups(device, devices)) return true
  const { express, acs } = device.config
  switch (express) {
    case 'root-port':
    case 'downstream-port':
      return typeof acs === 'object' && acsOff(acs).length === 0
    case 'endpoint':
    case 'upstream-port':
      return !isOneOfSeveral(device) || (typeof acs === 'object' && acsOff(acs).length === 0)
    case 'pci-bridge':
    case 'other':
    case 'absent':
    case 'unknown':
      return false
  }
}

/**
 * A device that does not share the group of the bridge next above has a closed way up: all bridges on it isolate.
 * Functions of one slot that are in other groups do so themselves.
 */
function shownByGroups(device: PciDevice, devices: readonly PciDevice[]): boolean {
  const wayClosed = devices.some((other) => {
    const above = bridgesAbove(other, devices)
    const [next] = above
    return above.includes(device) && other.group !== undefined && other.group !== next?.group
  })
  if (wayClosed || isBridge(device) || device.group === undefined) return wayClosed
  const mates = slotMates(device, devices)
  return mates.length > 0 && mates.every(({ group }) => group !== device.group)
}
