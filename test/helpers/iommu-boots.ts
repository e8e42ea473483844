import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { AcsMode } from '../../src/core/host/acs-override.ts'
import type { PciConfig, PciDevice } from '../../src/core/host/pci-device.ts'

/** A device as a guest showed it. */
export interface BootedDevice {
  readonly address: string
  readonly parent: string | null
  /** Six hexadecimal digits. */
  readonly class: string
  readonly id: string
  readonly physicalFunction: string | null
  readonly config: PciConfig
}

/** Groups as a kernel made them. */
export interface BootedGroups {
  /** Which meaning its patch has. */
  readonly mode: Exclude<AcsMode, 'off'>
  /** Options of `pcie_acs_override=`. */
  readonly parameters: readonly string[]
  /** Addresses. */
  readonly groups: readonly (readonly string[])[]
}

export interface BootedMachine {
  readonly name: string
  readonly what: string
  /** `uname -r` */
  readonly kernel: string
  readonly devices: readonly BootedDevice[]
  readonly boots: readonly BootedGroups[]
}

export const bootsFolder = 'test/fixtures/iommu-boots'

/** All machines that were booted, by name. */
export const bootedMachines = (): readonly BootedMachine[] =>
  readdirSync(bootsFolder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(path.join(bootsFolder, name), 'utf8')) as BootedMachine)

/**
 * Hardware that has the quirks which qemu-quirks.patch gives to devices of QEMU: a Marvell SATA controller that uses
 * another's requester id, and a network card whose maker vouches for its functions.
 */
const standIns: Readonly<Record<string, string>> = { '1b36:000d': '1b4b:9230', '1af4:1044': '8086:1521' }
const domainController = '0000:00:05.0'

/** Options of `pcie_acs_override=` with the ids that the model's devices bear. */
export const modelParameters = (parameters: readonly string[]): readonly string[] =>
  parameters.map((option) => {
    const standsFor = standIns[option.slice('id:'.length)]
    return option.startsWith('id:') && standsFor !== undefined ? `id:${standsFor}` : option
  })

/** The machine's devices for the model, in the groups of a boot. */
export function pciDevices(
  machine: BootedMachine,
  groups: readonly (readonly string[])[],
): readonly PciDevice[] {
  return machine.devices.map((device) => {
    const found = groups.findIndex((group) => group.includes(device.address))
    return {
      address: device.address,
      parent: device.parent ?? undefined,
      classCode: Number.parseInt(device.class, 16),
      id: standIns[device.id] ?? device.id,
      driver: undefined,
      group: found < 0 ? undefined : found,
      config: device.config,
      uses: [],
      ...(device.physicalFunction === null ? {} : { physicalFunction: device.physicalFunction }),
      ...(Number.parseInt(device.address.slice(5, 7), 16) < 0x80 ? {} : { domainController }),
    }
  })
}

/** `{a b} {c}`: groups in the order of their first addresses. */
export function addressGroupsText(groups: readonly (readonly string[])[]): string {
  const texts = groups.map((group) => [...group].sort().join(' ')).sort()
  return texts.map((text) => `{${text}}`).join(' ')
}
