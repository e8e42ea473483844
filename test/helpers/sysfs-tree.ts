import { mkdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { AcsRegisters } from '../../src/core/host/pci-device.ts'

/** A device to be shown in a directory laid out as /sys. */
export interface TreeDevice {
  /** Its folder below `devices`: `pci0000:00/0000:00:1c.0/0000:01:00.0`. */
  readonly path: string
  /** `vvvv:dddd` */
  readonly id: string
  /** Six hexadecimal digits. */
  readonly class: string
  readonly group: number
  readonly config: Uint8Array
  readonly driver?: string
  /** Address of the physical function that it is a virtual one of. */
  readonly physicalFunction?: string
}

/** Device/port types of PCI Express Base 7.5.3.2; null: conventional PCI. */
const types = { endpoint: 0, 'root-port': 4, 'upstream-port': 5, 'downstream-port': 6, 'pci-bridge': 7 }

/** A configuration space as root sees it. */
export function configSpace(
  type: keyof typeof types | null,
  more: { readonly multifunction?: boolean; readonly acs?: AcsRegisters } = {},
): Uint8Array {
  const space = Buffer.alloc(4096)
  space.writeUInt8(more.multifunction === true ? 0x80 : 0, 14)
  if (type === null) return space
  space.writeUInt16LE(0x0010, 6)
  space.writeUInt8(0x40, 0x34)
  space.writeUInt16LE(0x0010, 0x40)
  space.writeUInt16LE((types[type] << 4) | 2, 0x42)
  if (more.acs !== undefined) {
    space.writeUInt32LE((1 << 16) | 0x000d, 0x100)
    space.writeUInt16LE(more.acs.capability, 0x104)
    space.writeUInt16LE(more.acs.control, 0x106)
  }
  return space
}

/** Writes what `fwbuild iommu` reads into an empty directory. */
export async function writeSysfs(directory: string, devices: readonly TreeDevice[]): Promise<void> {
  await mkdir(path.join(directory, 'bus/pci/devices'), { recursive: true })
  for (const device of devices) {
    const address = path.basename(device.path)
    const folder = path.join(directory, 'devices', device.path)
    await mkdir(folder, { recursive: true })
    await symlink(`../../../devices/${device.path}`, path.join(directory, 'bus/pci/devices', address))
    const [vendor = '', id = ''] = device.id.split(':')
    await writeFile(path.join(folder, 'class'), `0x${device.class}\n`)
    await writeFile(path.join(folder, 'vendor'), `0x${vendor}\n`)
    await writeFile(path.join(folder, 'device'), `0x${id}\n`)
    await writeFile(path.join(folder, 'config'), device.config)
    await symlink(`/sys/kernel/iommu_groups/${device.group}`, path.join(folder, 'iommu_group'))
    if (device.driver !== undefined)
      await symlink(`/sys/bus/pci/drivers/${device.driver}`, path.join(folder, 'driver'))
    if (device.physicalFunction !== undefined)
      await symlink(`../${device.physicalFunction}`, path.join(folder, 'physfn'))
  }
}
