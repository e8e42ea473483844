import { readAcsOverride } from './acs-override.ts'
import { acsQuirk } from './acs-quirks.ts'
import {
  bridgesAbove,
  declaresIsolation,
  isMultifunction,
  isVouchedFor,
  kernelGroups,
  pciMachine,
  slotMates,
  type AcsBoot,
  type PciMachine,
} from './kernel-groups.ts'
import { busOf, isBridge, staysWithHost, type PciDevice } from './pci-device.ts'

/** An override to boot with: which of the patch's meanings, and options of `pcie_acs_override=`. */
export interface AcsSetting {
  readonly mode: 'missing' | 'always'
  readonly parameters: readonly string[]
}

/** All there is besides naming devices by id, what promises least first. */
export const acsSettings: readonly AcsSetting[] = (['missing', 'always'] as const).flatMap((mode) =>
  [['downstream'], ['multifunction'], ['downstream', 'multifunction']].map((parameters) => ({
    mode,
    parameters,
  })),
)

/** A machine and which of its devices isolate without an override. */
export interface AcsMachine {
  readonly machine: PciMachine
  /** Addresses. */
  readonly isolating: ReadonlySet<string>
  /** The override that made the groups as they are; undefined where none did. */
  readonly inForce: AcsSetting | undefined
}

const stock: AcsBoot = { mode: 'off', override: readAcsOverride([]) }
const bootWith = ({ mode, parameters }: AcsSetting): AcsBoot => ({
  mode,
  override: readAcsOverride(parameters),
})

/**
 * Which devices isolate by themselves. Registers and the kernel's quirks that we know say so; where an override did
 * not make the groups, so do they, of registers that cannot be read and of quirks that we do not know.
 * @param running options of `pcie_acs_override=` that the kernel which made the groups was booted with
 */
export function acsMachine(found: readonly PciDevice[], running: readonly string[]): AcsMachine {
  const machine = pciMachine(found)
  const declared = new Set(addresses(machine, (device) => declaresIsolation(machine, device) === true))
  const plain = { machine, isolating: declared, inForce: undefined }
  const inForce = running.length === 0 ? undefined : settingInForce(plain, running)
  if (inForce !== undefined) return { ...plain, inForce }
  const shown = shownByGroups(machine)
  const isolating = new Set([...declared, ...shown])
  return { ...plain, isolating: withoutRefuted({ ...plain, isolating }, shown) }
}

const addresses = (machine: PciMachine, holds: (device: PciDevice) => boolean): readonly string[] =>
  machine.devices.filter(holds).map(({ address }) => address)

/** The patch's meaning with which the options explain the groups better than no override does. */
function settingInForce(plain: AcsMachine, parameters: readonly string[]): AcsSetting | undefined {
  const score = (setting: AcsSetting | undefined): number => {
    const groups = groupsWith(plain, setting)
    const { devices } = plain.machine
    return devices.filter((device) =>
      devices.every(
        (other) =>
          (groups.get(other.address) === groups.get(device.address)) === (other.group === device.group),
      ),
    ).length
  }
  let best: { readonly setting: AcsSetting | undefined; readonly score: number } = {
    setting: undefined,
    score: score(undefined),
  }
  for (const mode of ['missing', 'always'] as const) {
    const setting = { mode, parameters }
    const reached = score(setting)
    if (reached > best.score) best = { setting, score: reached }
  }
  return best.setting
}

/**
 * A quirk may depend on what cannot be seen (registers of the chipset, the kernel's version): a device that isolates
 * by a quirk alone does not where the groups tell otherwise.
 */
function withoutRefuted(plain: AcsMachine, shown: ReadonlySet<string>): ReadonlySet<string> {
  const { machine, isolating } = plain
  const groups = groupsWith(plain, undefined)
  const made = new Map<number, Set<number | undefined>>()
  for (const { address, group } of machine.devices) {
    if (group !== undefined) made.set(group, (made.get(group) ?? new Set()).add(groups.get(address)))
  }
  const apart = machine.devices.filter(({ group }) => group !== undefined && (made.get(group)?.size ?? 0) > 1)
  const concerned = new Set(
    apart.flatMap((device) => [device, ...bridgesAbove(machine, device)]).map(({ address }) => address),
  )
  const refuted = machine.devices.filter(
    (device) =>
      concerned.has(device.address) &&
      !shown.has(device.address) &&
      acsQuirk(device, isMultifunction(machine, device)) === true,
  )
  const rest = new Set(isolating)
  for (const { address } of refuted) rest.delete(address)
  return rest
}

/**
 * A device that does not share the group of the bridge next above has a closed way up: all bridges on it isolate.
 * Functions of one slot that are in other groups do so themselves.
 * @returns addresses
 */
function shownByGroups(machine: PciMachine): ReadonlySet<string> {
  const shown = new Set<string>()
  for (const device of machine.devices) {
    if (device.group === undefined) continue
    const above = bridgesAbove(machine, device)
    if (device.group !== above[0]?.group) for (const { address } of above) shown.add(address)
    const mates = slotMates(machine, device)
    if (!isBridge(device) && mates.length > 0 && mates.every(({ group }) => group !== device.group))
      shown.add(device.address)
  }
  return shown
}

/** Groups that a boot would make; without a setting, those of a kernel without the patch. */
export function groupsWith(known: AcsMachine, setting: AcsSetting | undefined): ReadonlyMap<string, number> {
  const boot = setting === undefined ? stock : bootWith(setting)
  const { machine, isolating } = known
  return kernelGroups(
    machine,
    (device) => isVouchedFor(machine, device, boot) || isolating.has(device.address),
  )
}

/** Devices that a setting vouches for and that do not isolate by themselves. */
export function vouchedFor({ machine, isolating }: AcsMachine, setting: AcsSetting): readonly PciDevice[] {
  const boot = bootWith(setting)
  return machine.devices.filter(
    (device) => isVouchedFor(machine, device, boot) && !isolating.has(device.address),
  )
}

/** Devices that shall go to guests, by address. */
export interface Handover {
  /** Those in question. */
  readonly devices: readonly string[]
  /** All that may be in their groups because they go too, the devices themselves included. */
  readonly along: readonly string[]
}

/**
 * Whether devices can go to a guest: their groups hold nothing else but what goes too and what stays with the host.
 * @param groupOf number of a device's group
 */
export function splits(
  { devices }: PciMachine,
  wanted: Handover,
  groupOf: (device: PciDevice) => number | undefined,
): boolean {
  const taken = new Set(
    devices.filter(({ address }) => wanted.devices.includes(address)).map((device) => groupOf(device)),
  )
  return devices.every(
    (device) => wanted.along.includes(device.address) || staysWithHost(device) || !taken.has(groupOf(device)),
  )
}

/** Whether a setting, or none, gives devices groups of their own. */
export function splitsWith(known: AcsMachine, wanted: Handover, setting: AcsSetting | undefined): boolean {
  const groups = groupsWith(known, setting)
  return splits(known.machine, wanted, ({ address }) => groups.get(address))
}

/**
 * Of the devices that a setting vouches for, the bridges on the way, and of the others those without which it does
 * not split.
 * @returns bridges on the way, the nearest first, then others
 */
export function neededVouchers(
  known: AcsMachine,
  wanted: Handover,
  setting: AcsSetting,
): readonly PciDevice[] {
  const { machine } = known
  const enough = (vouched: readonly PciDevice[]): boolean => {
    const taken = new Set(vouched.map(({ address }) => address))
    const groups = kernelGroups(machine, ({ address }) => known.isolating.has(address) || taken.has(address))
    return splits(machine, wanted, ({ address }) => groups.get(address))
  }
  const above = wanted.devices.flatMap((address) => {
    const device = machine.byAddress.get(address)
    return device === undefined ? [] : bridgesAbove(machine, device)
  })
  const vouched = vouchedFor(known, setting)
  const way = vouched.filter((device) => above.includes(device))
  way.sort((a, b) => above.indexOf(a) - above.indexOf(b))
  // Mostly those beside the devices and the bridges on their way are enough.
  const buses = new Set([...wanted.devices, ...above.map(({ address }) => address)].map(busOf))
  const elsewhere = vouched.filter((device) => !above.includes(device))
  const near = elsewhere.filter(({ address }) => buses.has(busOf(address)))
  const rest = enough([...way, ...near]) ? near : elsewhere
  // What is not asked for goes first, so that of two functions that would do the one asked for is left.
  rest.sort((a, b) => Number(wanted.devices.includes(a.address)) - Number(wanted.devices.includes(b.address)))
  let kept: readonly PciDevice[] = rest
  for (const device of rest) {
    const others = kept.filter((other) => other !== device)
    if (enough([...way, ...others])) kept = others
  }
  return [...way, ...kept]
}
