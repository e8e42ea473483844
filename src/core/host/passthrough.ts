import { usageError } from '../errors.ts'
import type { AcsMode } from '../spec/options.ts'
import { adviseAcs } from './acs-advice.ts'
import type { PciDevice } from './pci-device.ts'

/** What follows from the devices that shall go to guests. */
export interface PassthroughPlan {
  readonly devices: readonly PciDevice[]
  /** Options of `pcie_acs_override=` that this machine is advised to boot with. */
  readonly acsParameters: readonly string[]
  /** What the user should know before the kernel is installed. */
  readonly warnings: readonly string[]
}

/** Without a device to look at: what splits everything that the mode can split. */
const everything = ['downstream', 'multifunction'] as const

/**
 * @param addresses full BDFs that were named
 * @param all devices of the machine
 * @throws usage E_DEVICE_MISSING | E_PASSTHROUGH_SHARED
 */
export function planPassthrough(
  addresses: readonly string[],
  all: readonly PciDevice[],
  acs: AcsMode,
): PassthroughPlan {
  const devices = addresses.map((address) => {
    const found = all.find((device) => device.address === address)
    if (found !== undefined) return found
    throw usageError('E_DEVICE_MISSING', `this machine has no PCI device ${address}`, {
      hint: 'fwbuild iommu lists what there is',
    })
  })
  const advices = devices.map((device) => ({ device, advice: adviseAcs(all, device.address) }))
  const advised = [...new Set(advices.flatMap(({ advice }) => advice.parameters))].sort()
  return {
    devices,
    acsParameters: acs === 'off' ? [] : devices.length > 0 ? advised : everything,
    warnings: advices.flatMap(({ device, advice }) => [
      ...warningsOfMode(device.address, advice.mode, acs),
      ...needed(device, 'is used by this machine now'),
      ...advice.others.flatMap((other) =>
        needed(other, `is in the group of ${device.address} and used by this machine`),
      ),
      ...sameId(device, addresses, all),
    ]),
  }
}

function warningsOfMode(
  address: string,
  mode: ReturnType<typeof adviseAcs>['mode'],
  acs: AcsMode,
): readonly string[] {
  if (mode === 'always' && acs !== 'always')
    return [
      `${address}: the port above it has an ACS capability with its controls off; only --acs=always splits its group`,
    ]
  if (mode === 'missing' && acs === 'off') return [`${address}: its group can be split with --acs`]
  if (mode === 'unknown' && acs !== 'off')
    return [
      `${address}: only root may read whether the ports above it have ACS; run sudo fwbuild iommu --device ${address} to know the mode it needs`,
    ]
  if (mode === 'impossible')
    return [`${address}: no ACS override splits its group (fwbuild iommu --device ${address})`]
  if (mode === 'none' && acs !== 'off')
    return [`${address} is alone in its group already: it needs no ACS override`]
  return []
}

const needed = (device: PciDevice, how: string): readonly string[] =>
  device.uses
    .filter((use) => use.needed)
    .map(({ text }) => `${device.address} (${text}) ${how}: taking it away can bring the machine down`)

/**
 * vfio-pci is told ids, so it takes every device that has one.
 * @throws usage E_PASSTHROUGH_SHARED where this machine would lose what it runs on
 */
function sameId(
  device: PciDevice,
  addresses: readonly string[],
  all: readonly PciDevice[],
): readonly string[] {
  const also = all.filter(({ id, address }) => id === device.id && !addresses.includes(address))
  const lost = also.find(({ uses }) => uses.some((use) => use.needed))
  if (lost !== undefined) {
    const uses = lost.uses.map(({ text }) => text).join(', ')
    throw usageError(
      'E_PASSTHROUGH_SHARED',
      `${lost.address} (${uses}) has the id ${device.id} of ${device.address} too: vfio-pci would take both from this machine at boot`,
      {
        hint: 'hand this device over by its address after the boot instead (driver_override), without --passthrough',
      },
    )
  }
  return also.map(
    ({ address }) => `${address} has the id ${device.id} of ${device.address} too: vfio-pci takes both`,
  )
}

/** Vendor by /proc/cpuinfo. */
export function cpuVendorOf(cpuinfo: string): 'intel' | 'amd' | 'other' {
  const vendor = /^vendor_id\s*:\s*(\S+)$/m.exec(cpuinfo)?.[1]
  if (vendor === 'GenuineIntel') return 'intel'
  return vendor === 'AuthenticAMD' || vendor === 'HygonGenuine' ? 'amd' : 'other'
}
