import type { AcsMode } from './acs-override.ts'
import {
  acsMachine,
  acsSettings,
  neededVouchers,
  splits,
  splitsWith,
  type AcsMachine,
  type AcsSetting,
  type Handover,
} from './acs-search.ts'
import { usesRequesterId } from './dma-aliases.ts'
import {
  bridgesAbove,
  domainController,
  isMultifunction,
  overrideOption,
  slotMates,
} from './kernel-groups.ts'
import { acsOff, busOf, functionNumber, isBridge, staysWithHost, type PciDevice } from './pci-device.ts'

/** Why devices share a group: one that does not keep its peers apart, or bears another's name. */
export interface AcsReason {
  readonly address: string
  /** `vvvv:dddd` */
  readonly id: string
  /**
   * `port`, `function`: does not isolate. What no override changes: `conventional` PCI; `alias`: DMA under the
   * requester id of another function; `domain`: a controller (Intel VMD) whose requester id all behind it bear.
   */
  readonly kind: 'port' | 'function' | 'conventional' | 'alias' | 'domain'
  /** Its ACS capability: not there, there with controls off, or not readable. */
  readonly acs: 'absent' | 'off' | 'unknown'
  /** Controls that are off, in words. */
  readonly off: readonly string[]
  /** Option of `pcie_acs_override=` that vouches for it; undefined where none does. */
  readonly option: 'downstream' | 'multifunction' | undefined
}

/** The smallest override that does it: the model of the kernel's grouping says so, and that no smaller one does. */
export interface AcsRemedy {
  /** Options of `pcie_acs_override=`, empty where nothing is needed or nothing helps. */
  readonly parameters: readonly string[]
  /** The same, naming the devices instead of all of their kind; empty where that does not do. */
  readonly narrow: readonly string[]
  /**
   * `none`: nothing is needed. `impossible`: no option helps. `unknown`: with parameters, registers that others than
   * root cannot read decide between missing and always; without, nothing that can be seen explains the group.
   */
  readonly mode: 'none' | Exclude<AcsMode, 'off'> | 'unknown' | 'impossible'
  readonly reasons: readonly AcsReason[]
}

/** What would have to be done for one device to be passed through alone; and for its whole card. */
export interface AcsAdvice extends AcsRemedy {
  readonly address: string
  readonly group: number | undefined
  /** Alone but for bridges and the like, which stay with the host. */
  readonly alone: boolean
  /** Devices that would go along, those that stay with the host left out. */
  readonly others: readonly PciDevice[]
  /** Members of the group that stay with the host. */
  readonly staying: readonly PciDevice[]
  /** Options of the override that made the groups as they are; undefined where none did. */
  readonly inForce: readonly string[] | undefined
  /** For all functions of the device's slot together. */
  readonly card: AcsRemedy
}

/** The kernel takes no more ids: ACS_OVERRIDE_MAX_IDS of the patch. */
const mostIds = 16

/**
 * Which override would give a device an IOMMU group of its own.
 * @param address of one of the devices
 * @param running options of `pcie_acs_override=` that this machine was booted with
 */
export function adviseAcs(
  devices: readonly PciDevice[],
  address: string,
  running: readonly string[] = [],
): AcsAdvice {
  const device = devices.find((other) => other.address === address)
  if (device === undefined) throw new RangeError(`no device ${address}`)
  const known = acsMachine(devices, running)
  const members = devices.filter(
    (other) => other !== device && device.group !== undefined && other.group === device.group,
  )
  const others = members.filter((other) => !staysWithHost(other))
  const card = [device, ...slotMates(known.machine, device).filter((mate) => !staysWithHost(mate))].map(
    (member) => member.address,
  )
  return {
    address,
    group: device.group,
    alone: others.length === 0,
    others,
    staying: members.filter(staysWithHost),
    inForce: known.inForce?.parameters,
    ...remedyFor(known, { devices: [address], along: [address] }),
    card: remedyFor(known, { devices: card, along: card }),
  }
}

/**
 * The smallest override with which devices can be passed through together.
 * @param settings those to be tried, the smallest first
 */
export function remedyFor(
  known: AcsMachine,
  wanted: Handover,
  settings: readonly AcsSetting[] = acsSettings,
): AcsRemedy {
  const nothing = { parameters: [], narrow: [], reasons: [] }
  const grouped = wanted.devices.every((address) => known.machine.byAddress.get(address)?.group !== undefined)
  const asTheyAre = splits(known.machine, wanted, ({ group }) => group)
  if (known.inForce === undefined && (asTheyAre || !grouped)) return { ...nothing, mode: 'none' }
  if (splitsWith(known, wanted, undefined)) {
    // The groups are coarser than anything that can be seen explains, unless they were not made without an override.
    return { ...nothing, mode: known.inForce === undefined ? 'unknown' : 'none' }
  }
  const setting = settings.find((each) => splitsWith(known, wanted, each))
  if (setting === undefined) {
    const reasons = obstacles(known, wanted)
    return { ...nothing, mode: reasons.length === 0 ? 'unknown' : 'impossible', reasons }
  }
  const reasons = neededVouchers(known, wanted, setting).map(reasonOf)
  return {
    parameters: setting.parameters,
    narrow: narrowed(known, wanted, setting, reasons),
    mode: reasons.some(({ acs }) => acs === 'unknown') ? 'unknown' : setting.mode,
    reasons,
  }
}

/** Ids in the place of kinds, where they do the same. */
function narrowed(
  known: AcsMachine,
  wanted: Handover,
  { mode }: AcsSetting,
  reasons: readonly AcsReason[],
): readonly string[] {
  const parameters = [...new Set(reasons.map(({ id }) => `id:${id}`))]
  const does = parameters.length <= mostIds && splitsWith(known, wanted, { mode, parameters })
  return does ? parameters : []
}

function reasonOf(device: PciDevice): AcsReason {
  const { express, acs } = device.config
  const option = overrideOption(device)
  return {
    address: device.address,
    id: device.id,
    kind: option === undefined ? 'conventional' : isBridge(device) ? 'port' : 'function',
    acs: typeof acs === 'object' ? 'off' : express === 'unknown' ? 'unknown' : acs,
    off: typeof acs === 'object' ? acsOff(acs) : [],
    option,
  }
}

/** What holds devices together that no override takes apart. */
function obstacles({ machine }: AcsMachine, wanted: Handover): readonly AcsReason[] {
  const { devices, byAddress } = machine
  const found = new Map<string, AcsReason>()
  const add = (device: PciDevice, kind: AcsReason['kind']): void => {
    const { address, id } = device
    if (!found.has(address))
      found.set(address, { address, id, kind, acs: 'absent', off: [], option: undefined })
  }
  for (const device of wanted.devices.flatMap((address) => byAddress.get(address) ?? [])) {
    const controller = domainController(machine, device)
    if (controller !== undefined) add(controller, 'domain')
    // The controller itself shares its group with all that bears its name.
    const named = devices.filter((other) => domainController(machine, other) === device)
    if (named.some(({ address }) => !wanted.along.includes(address))) add(device, 'domain')
    const way = [device, ...bridgesAbove(machine, device)]
    for (const bridge of way.slice(1)) if (overrideOption(bridge) === undefined) add(bridge, 'conventional')
    for (const step of way) {
      for (const other of devices.filter(({ address }) => busOf(address) === busOf(step.address))) {
        if (other === step || wanted.along.includes(other.address)) continue
        if (usesRequesterId(step, functionNumber(other.address))) add(step, 'alias')
        if (usesRequesterId(other, functionNumber(step.address))) add(other, 'alias')
      }
    }
    if (overrideOption(device) === undefined && isMultifunction(machine, device)) add(device, 'conventional')
  }
  return [...found.values()]
}
