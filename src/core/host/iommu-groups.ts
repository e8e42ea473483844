import type { PciDevice } from './pci-device.ts'

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
