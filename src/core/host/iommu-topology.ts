import type { Accelerator } from '../boot/boot-result.ts'
import { readAcsOverride, type AcsMode } from './acs-override.ts'

/*
 * Two root ports that are functions of one slot; behind them network cards whose ids and behaviour are known:
 *
 *   00:1c.0 rp0 ── e (function 0), f (function 1)
 *   00:1c.1 rp1 ── g
 */

/**
 * `A`: the ports have no ACS capability. `B`: they have it. `B+R`: they have it and its controls stay off,
 * as on boards whose firmware or quirk leaves them so (ASRock J3455).
 */
export type Topology = 'A' | 'B' | 'B+R'

export const topologyTitles: Readonly<Record<Topology, string>> = {
  A: 'ports without ACS',
  B: 'ports with ACS',
  'B+R': 'ports with ACS switched off',
}

/** Names of the devices that are looked at, in order. */
export const proofDevices = ['rp0', 'rp1', 'e', 'f', 'g'] as const
export type ProofDevice = (typeof proofDevices)[number]

/** Vendor and device ids, QEMU's documentation docs/specs/pci-ids. */
export const rootPortId = '1b36:000c'
export const networkCardId = '8086:10d3'

const portAddresses = ['0000:00:1c.0', '0000:00:1c.1']

/**
 * The name of a device in the proof's machine.
 * @param address of the device, `0000:02:00.1`
 * @param parent address of the port above it
 * @returns undefined for what the machine has besides
 */
export function proofDeviceAt(address: string, parent: string): ProofDevice | undefined {
  const port = portAddresses.indexOf(address)
  if (port >= 0) return port === 0 ? 'rp0' : 'rp1'
  const above = portAddresses.indexOf(parent)
  if (above < 0) return undefined
  if (above === 1) return address.endsWith('.0') ? 'g' : undefined
  if (address.endsWith('.0')) return 'e'
  return address.endsWith('.1') ? 'f' : undefined
}

/** Kernel parameters that make a topology, beside its devices. */
const topologyParameters = (topology: Topology): readonly string[] =>
  topology === 'B+R' ? [`pci=disable_acs_redir=pci:${rootPortId}`] : []

/** Groups of names, each sorted as in `proofDevices`, in the order of their first. */
export type ProofGroups = readonly (readonly ProofDevice[])[]

/**
 * The groups that drivers/iommu/iommu.c makes of the topology. A port that does not isolate shares its group
 * with the other function of its slot and with all below both; functions of one endpoint share theirs unless
 * each isolates.
 */
export function expectedGroups(topology: Topology, mode: AcsMode, options: readonly string[]): ProofGroups {
  const override = readAcsOverride(options)
  const vouched = (id: string, byKind: boolean): boolean =>
    mode !== 'off' && (byKind || override.ids.includes(id))
  // `missing` leaves alone what has the capability, whatever its controls say.
  const portVouched = vouched(rootPortId, override.downstream) && (topology === 'A' || mode === 'always')
  const portsIsolate = topology === 'B' || portVouched
  if (!portsIsolate) return [['rp0', 'rp1', 'e', 'f', 'g']]
  const functionsIsolate = vouched(networkCardId, override.multifunction)
  return functionsIsolate ? [['rp0'], ['rp1'], ['e'], ['f'], ['g']] : [['rp0'], ['rp1'], ['e', 'f'], ['g']]
}

export interface IommuMachine {
  readonly accel: Accelerator
  readonly kernelPath: string
  readonly initrdPath: string
  /** Kernel parameters beside those every such machine needs. */
  readonly parameters: readonly string[]
  readonly memoryMib: number
  /** Values of QEMU's `-device`. */
  readonly devices: readonly string[]
  /** More of QEMU's options. */
  readonly more?: readonly string[]
}

export interface ProofMachine extends Omit<IommuMachine, 'devices'> {
  readonly topology: Topology
}

/** Boots a kernel in the proof's machine; its serial port is on stdin and stdout. */
export function proofCommand(machine: ProofMachine): readonly string[] {
  const acs = machine.topology === 'A' ? ',disable-acs=on' : ''
  const port = (name: string, at: string, chassis: number): string =>
    `pcie-root-port,id=${name},bus=pcie.0,addr=${at},chassis=${chassis}${acs}`
  const card = (port: string, at: string): string => `e1000e,bus=${port},addr=${at},romfile=`
  return iommuCommand({
    ...machine,
    parameters: [...topologyParameters(machine.topology), ...machine.parameters],
    devices: [
      `${port('rp0', '1c.0', 1)},multifunction=on`,
      port('rp1', '1c.1', 2),
      `${card('rp0', '0.0')},multifunction=on`,
      card('rp0', '0.1'),
      card('rp1', '0.0'),
    ],
  })
}

/** Boots a kernel directly, in a machine with an IOMMU and devices; its serial port is on stdin and stdout. */
export function iommuCommand(machine: IommuMachine): readonly string[] {
  const kernelParameters = [
    'console=ttyS0,115200',
    // A panic ends QEMU, which runs with -no-reboot.
    'panic=-1',
    // The kernel panics when it finds the timer slow, which an emulated one is on a busy machine.
    'no_timer_check',
    'intel_iommu=on',
    ...machine.parameters,
  ]
  return [
    'qemu-system-x86_64',
    '-nodefaults',
    '-no-user-config',
    '-display',
    'none',
    '-no-reboot',
    '-machine',
    'q35,kernel-irqchip=split',
    '-accel',
    machine.accel,
    '-cpu',
    machine.accel === 'kvm' ? 'host' : 'max',
    '-m',
    String(machine.memoryMib),
    ...['intel-iommu,intremap=on,caching-mode=on', ...machine.devices].flatMap((device) => [
      '-device',
      device,
    ]),
    ...(machine.more ?? []),
    '-kernel',
    machine.kernelPath,
    '-initrd',
    machine.initrdPath,
    '-append',
    kernelParameters.join(' '),
    '-chardev',
    'stdio,id=serial0,signal=off',
    '-serial',
    'chardev:serial0',
  ]
}
