import { usageError } from '../errors.ts'
import type { AcsMode } from '../spec/options.ts'
import { remedyFor, type AcsRemedy } from './acs-advice.ts'
import { acsMachine, acsSettings, type AcsMachine, type Handover } from './acs-search.ts'
import { staysWithHost, type PciDevice } from './pci-device.ts'

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
 * @param addresses full BDFs that were named: they go together, so they may share their groups with one another
 * @param all devices of the machine
 * @param running options of `pcie_acs_override=` that the machine was booted with
 * @throws usage E_DEVICE_MISSING | E_PASSTHROUGH_SHARED
 */
export function planPassthrough(
  addresses: readonly string[],
  all: readonly PciDevice[],
  acs: AcsMode,
  running: readonly string[] = [],
): PassthroughPlan {
  const devices = addresses.map((address) => {
    const found = all.find((device) => device.address === address)
    if (found !== undefined) return found
    throw usageError('E_DEVICE_MISSING', `this machine has no PCI device ${address}`, {
      hint: 'fwbuild iommu lists what there is',
    })
  })
  if (devices.length === 0) {
    return { devices, acsParameters: acs === 'off' ? [] : everything, warnings: [] }
  }
  const known = acsMachine(all, running)
  const remedies = devices.map((device) => ({
    device,
    remedy: remedyForMode(known, { devices: [device.address], along: addresses }, acs),
  }))
  const advised = new Set(
    remedies.flatMap(({ remedy }) => (isUnexplained(remedy) ? everything : remedy.parameters)),
  )
  return {
    devices,
    acsParameters: acs === 'off' ? [] : [...advised].sort(),
    warnings: [
      ...remedies.flatMap(({ device, remedy }) => warningsOfMode(device.address, remedy, acs)),
      ...devices.flatMap((device) => [
        ...needed(device, 'is used by this machine now'),
        ...goingAlong(device, devices, all).flatMap((other) =>
          needed(other, `is in the group of ${device.address} and used by this machine`),
        ),
        ...sameId(device, addresses, all),
      ]),
    ],
  }
}

/** The smallest override that the kernel to be built offers, or else that any does. */
function remedyForMode(known: AcsMachine, wanted: Handover, acs: AcsMode): AcsRemedy {
  const offered = acsSettings.filter(({ mode }) => mode === acs)
  return remedyFor(known, wanted, [...offered, ...acsSettings])
}

/** A group that nothing explains. */
const isUnexplained = ({ mode, parameters }: AcsRemedy): boolean =>
  mode === 'unknown' && parameters.length === 0

function warningsOfMode(address: string, remedy: AcsRemedy, acs: AcsMode): readonly string[] {
  const { mode, parameters } = remedy
  const ask = `fwbuild iommu --device ${address}`
  if (mode === 'always' && acs !== 'always')
    return [
      `${address}: what would have to isolate it has an ACS capability with its controls off; only --acs=always splits its group`,
    ]
  if (mode === 'missing' && acs === 'off')
    return [`${address}: its group can be split with --acs and pcie_acs_override=${parameters.join(',')}`]
  if (isUnexplained(remedy) && acs !== 'off')
    return [
      `${address}: nothing in the configuration space of the devices says why they share a group; the kernel is told downstream,multifunction, which may not split it (${ask})`,
    ]
  if (mode === 'unknown' && acs !== 'off')
    return [
      `${address}: only root may read whether the ports above it have ACS; run sudo ${ask} to know the mode it needs`,
    ]
  if (mode === 'impossible') return [`${address}: no ACS override splits its group; ${ask} tells the way out`]
  if (mode === 'none' && acs !== 'off')
    return [`${address} needs no ACS override: it can be passed through as it is`]
  return []
}

/** What is in a device's group besides, and is neither handed over nor stays with the host. */
const goingAlong = (
  device: PciDevice,
  devices: readonly PciDevice[],
  all: readonly PciDevice[],
): readonly PciDevice[] =>
  all.filter(
    (other) =>
      device.group !== undefined &&
      other.group === device.group &&
      !devices.includes(other) &&
      !staysWithHost(other),
  )

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
