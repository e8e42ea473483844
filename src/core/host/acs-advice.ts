import type { AcsMode } from './acs-override.ts'
import { bridgesAbove, isolates, slotMates } from './iommu-groups.ts'
import { acsOff, isBridge, slotOf, type PciDevice } from './pci-device.ts'

/** Why devices share a group: one that does not keep its peers apart. */
export interface AcsReason {
  readonly address: string
  /** `vvvv:dddd` */
  readonly id: string
  readonly kind: 'port' | 'function' | 'conventional'
  /** Its ACS capability: not there, there with controls off, or not readable. */
  readonly acs: 'absent' | 'off' | 'unknown'
  /** Controls that are off, in words. */
  readonly off: readonly string[]
  /** Option of `pcie_acs_override=` that vouches for it; undefined where none does. */
  readonly option: 'downstream' | 'multifunction' | undefined
}

/** A set of options and the meaning of `--acs` it needs. */
export interface AcsRemedy {
  /** Options of `pcie_acs_override=`, empty where nothing is needed or nothing helps. */
  readonly parameters: readonly string[]
  /** The same, naming the devices instead of all of their kind. */
  readonly narrow: readonly string[]
  /** `none`: nothing is needed. `impossible`: no option helps. `unknown`: ask again as root. */
  readonly mode: 'none' | Exclude<AcsMode, 'off'> | 'unknown' | 'impossible'
  readonly reasons: readonly AcsReason[]
}

/** What would have to be done for one device to be passed through alone; and for its whole card. */
export interface AcsAdvice extends AcsRemedy {
  readonly address: string
  readonly group: number | undefined
  /** Alone but for bridges, which stay with the host. */
  readonly alone: boolean
  /** Devices that would go along, bridges left out. */
  readonly others: readonly PciDevice[]
  /** For all functions of the device's slot together. */
  readonly card: AcsRemedy
}

/**
 * Which override would give a device an IOMMU group of its own.
 * @param address of one of the devices
 */
export function adviseAcs(devices: readonly PciDevice[], address: string): AcsAdvice {
  const device = devices.find((other) => other.address === address)
  if (device === undefined) throw new RangeError(`no device ${address}`)
  const members =
    device.group === undefined
      ? []
      : devices.filter((other) => other !== device && other.group === device.group)
  const others = members.filter((other) => !isBridge(other))
  const strangers = others.filter((other) => slotOf(other.address) !== slotOf(address))
  const ports = bridgesAbove(device, devices)
    .filter((bridge) => !isolates(bridge, devices))
    .map(reasonOf)
  const mates = slotMates(device, devices).filter((mate) => others.includes(mate))
  const own = mates.length === 0 || isolates(device, devices) ? [] : [reasonOf(device)]
  return {
    address,
    group: device.group,
    alone: others.length === 0,
    others,
    ...remedy(others, [...(strangers.length === 0 ? [] : ports), ...own]),
    card: remedy(strangers, ports),
  }
}

function remedy(unwanted: readonly PciDevice[], reasons: readonly AcsReason[]): AcsRemedy {
  const nothing = { parameters: [], narrow: [], reasons }
  if (unwanted.length === 0) return { ...nothing, mode: 'none', reasons: [] }
  // A group that nothing in the devices explains: a quirk or an alias the kernel knows of.
  if (reasons.length === 0) return { ...nothing, mode: 'unknown' }
  if (reasons.some(({ option }) => option === undefined)) return { ...nothing, mode: 'impossible' }
  const options = new Set(reasons.flatMap(({ option }) => option ?? []))
  return {
    parameters: [...options].sort(),
    narrow: [...new Set(reasons.map(({ id }) => `id:${id}`))],
    mode: modeOf(reasons),
    reasons,
  }
}

function modeOf(reasons: readonly AcsReason[]): AcsRemedy['mode'] {
  if (reasons.some(({ acs }) => acs === 'off')) return 'always'
  return reasons.some(({ acs }) => acs === 'unknown') ? 'unknown' : 'missing'
}

function reasonOf(device: PciDevice): AcsReason {
  const { express, acs } = device.config
  const option = optionFor(device)
  return {
    address: device.address,
    id: device.id,
    kind: option === undefined ? 'conventional' : isBridge(device) ? 'port' : 'function',
    acs: typeof acs === 'object' ? 'off' : express === 'unknown' ? 'unknown' : acs,
    off: typeof acs === 'object' ? acsOff(acs) : [],
    option,
  }
}

/** What pci_quirk_acs_override() of the patch looks at. */
function optionFor(device: PciDevice): AcsReason['option'] {
  switch (device.config.express) {
    case 'root-port':
    case 'downstream-port':
      return 'downstream'
    case 'endpoint':
    case 'upstream-port':
      return 'multifunction'
    case 'unknown':
      return isBridge(device) ? 'downstream' : 'multifunction'
    case 'pci-bridge':
    case 'other':
    case 'absent':
      return undefined
  }
}
