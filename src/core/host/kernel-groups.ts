import { acsQuirk } from './acs-quirks.ts'
import type { AcsMode, AcsOverride } from './acs-override.ts'
import { mayUseRequesterId, usesRequesterId } from './dma-aliases.ts'
import { acsOff, busOf, functionNumber, slotOf, type PciDevice } from './pci-device.ts'

/*
 * A model of how Linux makes IOMMU groups of PCI devices: pci_device_group() of drivers/iommu/iommu.c and what it
 * calls, function by function. The sources of 6.1, 6.12 and 7.2 do the same, but for the bridge of ASPEED's management
 * controllers, which 7.2 knows to be none. It is compared with the groups of kernels that booted
 * (test/fixtures/iommu-boots).
 */

/** The devices of a machine, to be found by address and by bus. */
export interface PciMachine {
  /** In the order in which the kernel finds them: bridges before what is behind them. */
  readonly devices: readonly PciDevice[]
  readonly byAddress: ReadonlyMap<string, PciDevice>
  readonly byBus: ReadonlyMap<string, readonly PciDevice[]>
  readonly bySlot: ReadonlyMap<string, readonly PciDevice[]>
  /** Buses with a device that may use another's requester id. */
  readonly aliasBuses: ReadonlySet<string>
}

export function pciMachine(found: readonly PciDevice[]): PciMachine {
  const devices = [...found].sort((a, b) => (a.address < b.address ? -1 : 1))
  return {
    devices,
    byAddress: new Map(devices.map((device) => [device.address, device])),
    byBus: gathered(devices, busOf),
    bySlot: gathered(devices, slotOf),
    aliasBuses: new Set(
      devices
        .filter((device) => mayUseRequesterId(device) || device.domainController !== undefined)
        .map(({ address }) => busOf(address)),
    ),
  }
}

function gathered(
  devices: readonly PciDevice[],
  placeOf: (address: string) => string,
): ReadonlyMap<string, readonly PciDevice[]> {
  const places = new Map<string, PciDevice[]>()
  for (const device of devices) {
    const members = places.get(placeOf(device.address))
    if (members === undefined) places.set(placeOf(device.address), [device])
    else members.push(device)
  }
  return places
}

const parentOf = (machine: PciMachine, { parent }: PciDevice): PciDevice | undefined =>
  parent === undefined ? undefined : machine.byAddress.get(parent)

/** The bridges above a device, the nearest first. */
export function bridgesAbove(machine: PciMachine, device: PciDevice): readonly PciDevice[] {
  const above: PciDevice[] = []
  for (let bridge = parentOf(machine, device); bridge !== undefined; bridge = parentOf(machine, bridge))
    above.push(bridge)
  return above
}

const busMates = (machine: PciMachine, device: PciDevice): readonly PciDevice[] =>
  (machine.byBus.get(busOf(device.address)) ?? []).filter((other) => other !== device)

/** The other functions of a device's slot. */
export const slotMates = (machine: PciMachine, device: PciDevice): readonly PciDevice[] =>
  (machine.bySlot.get(slotOf(device.address)) ?? []).filter((other) => other !== device)

/** Devices that drivers/pci/controller/vmd.c drives. */
const vmdIds = '201d 28c0 467f 4c3d a77f 7d0b ad0b 9a0b b60b b06f'.split(' ').map((id) => `8086:${id}`)
/** vmd_find_free_domain(): beyond what ACPI can number. */
const firstVmdDomain = 0x10000

/** The Intel VMD that a device is behind; told apart by its group where the device does not say which. */
export function domainController(machine: PciMachine, device: PciDevice): PciDevice | undefined {
  if (device.domainController !== undefined) return machine.byAddress.get(device.domainController)
  const domain = ({ address }: PciDevice): number => Number.parseInt(address, 16)
  if (domain(device) < firstVmdDomain) return undefined
  return machine.devices.find(
    (other) =>
      domain(other) < firstVmdDomain &&
      other.group === device.group &&
      (other.driver === 'vmd' || vmdIds.includes(other.id)),
  )
}

/** pci_real_dma_dev() of arch/x86/pci/common.c: behind a VMD it is the VMD. */
const realDmaDevice = (machine: PciMachine, device: PciDevice): PciDevice =>
  domainController(machine, device) ?? device

/**
 * What the kernel calls multifunction (pci_scan_slot() of drivers/pci/probe.c, pci_iov_add_virtfn() of iov.c): the
 * header says so of function 0, all others are so by being there, and virtual functions never are. Functions above 0
 * are looked for only where function 0 says so; one that is there stands for its word.
 */
export function isMultifunction(machine: PciMachine, device: PciDevice): boolean {
  if (device.physicalFunction !== undefined) return false
  if (device.config.multifunction || !device.address.endsWith('.0')) return true
  // Behind a port there is one device only; what looks like another slot is a function above 7 (ARI).
  if (functionNumber(device.address) !== 0 && hasOneChild(parentOf(machine, device))) return true
  return slotMates(machine, device).some((mate) => mate.physicalFunction === undefined)
}

const hasOneChild = (bridge: PciDevice | undefined): boolean =>
  bridge?.config.express === 'root-port' || bridge?.config.express === 'downstream-port'

/** A kernel and what it was booted with. */
export interface AcsBoot {
  /** Which of the patch's two meanings it has, if any. */
  readonly mode: AcsMode
  readonly override: AcsOverride
}

/** pci_quirk_acs_override() of our patch: whether the user vouches for a device. */
export function isVouchedFor(machine: PciMachine, device: PciDevice, boot: AcsBoot): boolean {
  const { express, acs } = device.config
  if (boot.mode === 'off' || express === 'absent') return false
  if (boot.mode === 'missing' && typeof acs === 'object') return false
  if (boot.override.ids.includes(device.id)) return true
  switch (overrideOption(device)) {
    case 'downstream':
      return boot.override.downstream
    case 'multifunction':
      return boot.override.multifunction && isMultifunction(machine, device)
    case undefined:
      return false
  }
}

/** Which option vouches for a device of its kind. Where its registers cannot be read it is taken for PCI Express. */
export function overrideOption({ config, classCode }: PciDevice): 'downstream' | 'multifunction' | undefined {
  switch (config.express) {
    case 'root-port':
    case 'downstream-port':
      return 'downstream'
    case 'endpoint':
    case 'upstream-port':
      return 'multifunction'
    case 'unknown':
      return classCode >> 8 === 0x0604 ? 'downstream' : 'multifunction'
    case 'pci-bridge':
    case 'reverse-bridge':
    case 'other':
    case 'absent':
      return undefined
  }
}

/**
 * pci_acs_enabled() of drivers/pci/pci.c for REQ_ACS_FLAGS, without the override.
 * @returns undefined where the registers that decide cannot be read
 */
export function declaresIsolation(machine: PciMachine, device: PciDevice): boolean | undefined {
  const multifunction = isMultifunction(machine, device)
  const quirk = acsQuirk(device, multifunction)
  if (quirk !== undefined) return quirk
  const { express, acs } = device.config
  switch (express) {
    case 'root-port':
    case 'downstream-port':
      return typeof acs === 'object' && acsOff(acs).length === 0
    case 'endpoint':
    case 'upstream-port':
      return !multifunction || (typeof acs === 'object' && acsOff(acs).length === 0)
    case 'pci-bridge':
    case 'reverse-bridge':
    case 'other':
    case 'absent':
      return false
    case 'unknown':
      return undefined
  }
}

/**
 * pci_device_group() for all devices in turn.
 * @param isolates pci_acs_enabled() of the kernel in question
 * @returns for each address the number of its group; the numbers mean nothing else
 */
export function kernelGroups(
  machine: PciMachine,
  isolates: (device: PciDevice) => boolean,
): ReadonlyMap<string, number> {
  const groups: Groups = { machine, isolates, of: new Map() }
  let next = 0
  for (const device of machine.devices) {
    const found = groupOf(groups, device)
    groups.of.set(device.address, found ?? next)
    if (found === undefined) next += 1
  }
  return groups.of
}

interface Groups {
  readonly machine: PciMachine
  readonly isolates: (device: PciDevice) => boolean
  /** Those made so far. */
  readonly of: Map<string, number>
}

/** pci_device_group() for one device; undefined where it gets a new group. */
function groupOf(groups: Groups, device: PciDevice): number | undefined {
  const { machine, of } = groups
  // pci_for_each_dma_alias() with get_pci_alias_or_group(): the last one whose requester id the device's DMA may bear.
  let last = realDmaDevice(machine, device)
  if (of.has(last.address)) return of.get(last.address)
  for (let bridge = parentOf(machine, last); bridge !== undefined; bridge = parentOf(machine, bridge)) {
    if (!takesOwnership(bridge)) continue
    last = bridge
    if (of.has(last.address)) return of.get(last.address)
  }
  // Up to the first bridge from which the whole way up isolates.
  for (let bridge = parentOf(machine, last); bridge !== undefined; bridge = parentOf(machine, bridge)) {
    if (pathIsolates(groups, bridge)) break
    last = bridge
    if (of.has(last.address)) return of.get(last.address)
  }
  const seen = new Set<number>()
  return aliasGroup(groups, last, seen) ?? functionAliasGroup(groups, last, seen)
}

/** Bridges in whose name transactions from conventional PCI come. */
function takesOwnership({ config: { express } }: PciDevice): boolean {
  return express === 'pci-bridge' || express === 'reverse-bridge' || express === 'absent'
}

/** pci_acs_path_enabled() up to the root bus. */
function pathIsolates({ machine, isolates }: Groups, start: PciDevice): boolean {
  for (let bridge: PciDevice | undefined = start; bridge !== undefined; bridge = parentOf(machine, bridge)) {
    if (!isolates(bridge)) return false
  }
  return true
}

/** get_pci_alias_group() */
function aliasGroup(groups: Groups, device: PciDevice, seen: Set<number>): number | undefined {
  const own = functionNumber(device.address)
  if (seen.has(own)) return undefined
  seen.add(own)
  const group = groups.of.get(device.address)
  if (group !== undefined) return group
  if (!groups.machine.aliasBuses.has(busOf(device.address))) return undefined
  for (const other of busMates(groups.machine, device)) {
    if (!areAliases(groups.machine, device, other)) continue
    const found = aliasGroup(groups, other, seen) ?? functionAliasGroup(groups, other, seen)
    if (found !== undefined) return found
  }
  return undefined
}

/** get_pci_function_alias_group() */
function functionAliasGroup(groups: Groups, device: PciDevice, seen: Set<number>): number | undefined {
  const { machine, isolates } = groups
  if (!isMultifunction(machine, device) || isolates(device)) return undefined
  for (const mate of slotMates(machine, device)) {
    if (isolates(mate)) continue
    const found = aliasGroup(groups, mate, seen)
    if (found !== undefined) return found
  }
  return undefined
}

/** pci_devs_are_dma_aliases() of drivers/pci/pci.c */
const areAliases = (machine: PciMachine, a: PciDevice, b: PciDevice): boolean =>
  usesRequesterId(a, functionNumber(b.address)) ||
  usesRequesterId(b, functionNumber(a.address)) ||
  realDmaDevice(machine, a) === b ||
  realDmaDevice(machine, b) === a
