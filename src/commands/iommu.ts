import { resolve } from 'node:path'
import type { Command } from 'commander'
import { usageError } from '../core/errors.ts'
import { adviseAcs, type AcsAdvice } from '../core/host/acs-advice.ts'
import { iommuGroups } from '../core/host/iommu-groups.ts'
import { classText, pciAddress, type PciDevice } from '../core/host/pci-device.ts'
import { readPciHost } from '../effects/sysfs-pci.ts'
import { adviceText, iommuOffText, iommuTable } from '../report/iommu.ts'
import type { Io } from './io.ts'

interface IommuOptions {
  readonly sysfs?: string
  readonly device?: string
  readonly json?: boolean
}

/** `fwbuild iommu`: what can be passed through, what goes along, and what would split it. */
export function define(command: Command, io: Io): void {
  command
    .option('--sysfs <dir>', 'a directory laid out as /sys, for example a copy of another machine’s')
    .option('--device <bdf>', 'what passing this device through takes, for example 01:00.0')
    .option('--json', 'one JSON document on standard output')
    .action((options: IommuOptions) => iommu(options, io))
}

async function iommu(options: IommuOptions, io: Io): Promise<void> {
  const address = options.device === undefined ? undefined : parseAddress(options.device)
  // Another machine's sysfs says nothing of the disks and routes of this one.
  const host =
    options.sysfs === undefined
      ? await readPciHost('/sys', '/proc')
      : await readPciHost(resolve(io.cwd, options.sysfs), undefined)
  const device = host.devices.find((other) => other.address === address)
  if (address !== undefined && device === undefined) {
    throw usageError('E_DEVICE_MISSING', `there is no PCI device ${address}`, {
      hint: 'fwbuild iommu lists the devices; so does lspci -D.',
    })
  }
  const on = host.devices.some(({ group }) => group !== undefined)
  const advice =
    on && device !== undefined ? adviseAcs(host.devices, device.address, host.acsOverride) : undefined
  if (options.json === true) {
    io.stdout(`${JSON.stringify(document(host.devices, advice), null, 2)}\n`)
  } else if (!on) io.stdout(iommuOffText(host.iommuTables))
  else if (device !== undefined && advice !== undefined) io.stdout(adviceText(device, advice))
  else io.stdout(iommuTable(host.devices))
}

function parseAddress(text: string): string {
  const address = pciAddress(text)
  if (address !== undefined) return address
  throw usageError('E_PCI_ADDRESS', `${text}: not an address of a PCI device`, {
    hint: 'Addresses look like 0000:01:00.0 or 01:00.0.',
  })
}

function document(devices: readonly PciDevice[], advice: AcsAdvice | undefined): object {
  const shown = (device: PciDevice): object => ({
    address: device.address,
    class: classText(device.classCode),
    id: device.id,
    driver: device.driver ?? null,
    uses: device.uses,
  })
  const groups = iommuGroups(devices).map(({ id, devices: members }) => ({ id, devices: members.map(shown) }))
  return {
    version: 1,
    iommu: groups.length === 0 ? 'off' : 'on',
    groups,
    ...(advice === undefined
      ? {}
      : {
          advice: {
            ...advice,
            others: advice.others.map(shown),
            staying: advice.staying.map(shown),
            inForce: advice.inForce ?? null,
          },
        }),
  }
}
