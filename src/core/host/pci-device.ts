/** A function on the PCI bus, as sysfs shows it. */
export interface PciDevice {
  /** `0000:01:00.0` */
  readonly address: string
  /** Address of the bridge above; undefined on a root bus. */
  readonly parent: string | undefined
  /** Class, subclass and programming interface, 24 bits. */
  readonly classCode: number
  /** `vvvv:dddd` */
  readonly id: string
  readonly driver: string | undefined
  /** Number of the IOMMU group; undefined where the IOMMU is off. */
  readonly group: number | undefined
  readonly config: PciConfig
  readonly uses: readonly HostUse[]
  /** Address of the physical function that this is a virtual one of (SR-IOV). */
  readonly physicalFunction?: string
  /** Address of the controller whose PCI domain this is in (Intel VMD): it reads and writes memory by that one's id. */
  readonly domainController?: string
}

/** What the host does with a device. */
export interface HostUse {
  readonly text: string
  /** Taking the device away harms the host that runs now. */
  readonly needed: boolean
}

/** What the device's configuration space says. */
export interface PciConfig {
  /** The header's bit. */
  readonly multifunction: boolean
  readonly express: Known<ExpressType>
  readonly acs: Known<AcsRegisters>
  /** An endpoint that is a part of the root complex. */
  readonly integrated?: true
  /** `vvvv:dddd` of the board, where the device tells it. */
  readonly subsystem?: string
}

/**
 * `absent`: the device does not have it. `unknown`: it lies in a part that only root may read.
 */
export type Known<Value> = Value | 'absent' | 'unknown'

/** Device/port type, PCI Express Base Specification 7.5.3.2. */
export type ExpressType =
  | 'endpoint'
  | 'root-port'
  | 'upstream-port'
  | 'downstream-port'
  | 'pci-bridge'
  | 'reverse-bridge'
  | 'other'

/** Registers of the ACS extended capability. */
export interface AcsRegisters {
  readonly capability: number
  readonly control: number
}

/** Bits of both ACS registers that Linux asks for (REQ_ACS_FLAGS): the names of PCI Express Base 7.7.11. */
const requiredAcs = [
  ['source validation', 0x01],
  ['request redirect', 0x04],
  ['completion redirect', 0x08],
  ['upstream forwarding', 0x10],
] as const

/** Controls that a device offers and that are off. */
export const acsOff = ({ capability, control }: AcsRegisters): readonly string[] =>
  requiredAcs.filter(([, bit]) => (capability & bit) !== 0 && (control & bit) === 0).map(([name]) => name)

const headerBytes = 64
const conventionalBytes = 256
const expressCapability = 0x10
const acsCapability = 0x000d

/** Reads a configuration space: 64 bytes is what anyone may see, 256 or 4096 what root does. */
export function readPciConfig(bytes: Uint8Array): PciConfig {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const multifunction = bytes.length > 14 && (view.getUint8(14) & 0x80) !== 0
  const header = { multifunction, ...readSubsystem(view) }
  if (bytes.length <= headerBytes) return { ...header, express: 'unknown', acs: 'unknown' }
  const at = findCapability(view)
  if (at === undefined) return { ...header, express: 'absent', acs: 'absent' }
  const type = (view.getUint16(at + 2, true) >> 4) & 0xf
  const integrated = type === 9 ? { integrated: true as const } : {}
  return { ...header, ...integrated, express: expressTypeOf(type), acs: readAcs(view) }
}

/** Headers of bridges have other things in its place. */
function readSubsystem(view: DataView): Pick<PciConfig, 'subsystem'> {
  if (view.byteLength < headerBytes || (view.getUint8(14) & 0x7f) !== 0) return {}
  const hex = (at: number): string => view.getUint16(at, true).toString(16).padStart(4, '0')
  return view.getUint32(0x2c, true) === 0 ? {} : { subsystem: `${hex(0x2c)}:${hex(0x2e)}` }
}

function findCapability(view: DataView): number | undefined {
  const hasList = (view.getUint16(6, true) & 0x10) !== 0
  if (!hasList) return undefined
  let at = view.getUint8(0x34) & 0xfc
  // A list that bites its own tail ends with the space it lies in.
  for (
    let left = conventionalBytes / 4;
    left > 0 && at >= headerBytes && at + 4 <= view.byteLength;
    left -= 1
  ) {
    if (view.getUint8(at) === expressCapability) return at
    at = view.getUint8(at + 1) & 0xfc
  }
  return undefined
}

function expressTypeOf(type: number): ExpressType {
  switch (type) {
    // Endpoint, legacy endpoint, root complex integrated endpoint.
    case 0:
    case 1:
    case 9:
      return 'endpoint'
    case 4:
      return 'root-port'
    case 5:
      return 'upstream-port'
    case 6:
      return 'downstream-port'
    case 7:
      return 'pci-bridge'
    case 8:
      return 'reverse-bridge'
    default:
      return 'other'
  }
}

function readAcs(view: DataView): Known<AcsRegisters> {
  // A host that reaches only the first 256 bytes cannot show extended capabilities, nor use them.
  if (view.byteLength <= conventionalBytes) return 'absent'
  let at = conventionalBytes
  for (let left = 256; left > 0 && at >= conventionalBytes && at + 8 <= view.byteLength; left -= 1) {
    const header = view.getUint32(at, true)
    if (header === 0 || header === 0xffffffff) return 'absent'
    if ((header & 0xffff) === acsCapability) {
      // Some have a double word for each register: INTEL_SPT_ACS_CTRL of drivers/pci/quirks.c.
      const controlAt = at + (hasWideAcs(view) && at + 12 <= view.byteLength ? 8 : 6)
      return { capability: view.getUint16(at + 4, true), control: view.getUint16(controlAt, true) }
    }
    at = (header >>> 20) & 0xffc
  }
  return 'absent'
}

/** Root ports of Intel's chipsets Sunrise Point and Union Point: pci_quirk_intel_spt_pch_acs_match(), drivers/pci/quirks.c. */
function hasWideAcs(view: DataView): boolean {
  const device = view.getUint16(2, true)
  return (
    view.getUint16(0, true) === 0x8086 &&
    [
      [0xa110, 0xa11f],
      [0xa167, 0xa16a],
      [0xa290, 0xa29f],
      [0xa2e7, 0xa2ee],
      [0x9d10, 0x9d1b],
    ].some(([first = 0, last = 0]) => device >= first && device <= last)
  )
}

/** `01:00.0` or `0000:01:00.0` as sysfs writes it; undefined for anything else. */
export function pciAddress(text: string): string | undefined {
  const match = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/i.exec(text.trim())
  return match === null
    ? undefined
    : `${match[1] ?? '0000'}:${match[2]}:${match[3]}.${match[4]}`.toLowerCase()
}

/** The slot of a function: `0000:01:00`. */
export const slotOf = (address: string): string => address.slice(0, address.lastIndexOf('.'))

/** `0000:01`: domain and bus. */
export const busOf = (address: string): string => address.slice(0, address.lastIndexOf(':'))

/** Slot and function in one number, as the kernel's devfn. */
export function functionNumber(address: string): number {
  const [slot = '', fn = ''] = address.slice(address.lastIndexOf(':') + 1).split('.')
  return (Number.parseInt(slot, 16) << 3) | Number.parseInt(fn, 8)
}

const bridgeClass = 0x0604
const chipsetClasses: readonly number[] = [0x0600, 0x0601]
/** Host and ISA bridges: parts of the mainboard that no guest can take. */
export const isChipset = ({ classCode }: PciDevice): boolean => chipsetClasses.includes(classCode >> 8)
export const isBridge = ({ classCode }: PciDevice): boolean => classCode >> 8 === bridgeClass

const bridgeBaseClass = 0x06
/** Drivers of bridges that do no DMA of their own (`driver_managed_dma` of struct pci_driver). */
const harmlessDrivers: readonly (string | undefined)[] = [undefined, 'pcieport', 'pci-stub']

/**
 * Whether a member of a group is no hindrance to passing the others through: VFIO takes a group as soon as no
 * driver in it does DMA (iommu_group_claim_dma_owner() of drivers/iommu/iommu.c), and a bridge is of no use to a guest.
 */
export const staysWithHost = (device: PciDevice): boolean =>
  device.classCode >> 16 === bridgeBaseClass && harmlessDrivers.includes(device.driver)

/** Base class and subclass, PCI Code and ID Assignment Specification. */
const classWords: Readonly<Record<number, string>> = {
  0x0101: 'IDE controller',
  0x0104: 'RAID controller',
  0x0106: 'SATA controller',
  0x0107: 'SAS controller',
  0x0108: 'NVMe drive',
  0x0200: 'Ethernet',
  0x0280: 'network (wireless)',
  0x0300: 'VGA graphics',
  0x0302: '3D controller',
  0x0380: 'display',
  0x0400: 'video',
  0x0401: 'audio',
  0x0403: 'HD audio',
  0x0480: 'multimedia',
  0x0500: 'RAM',
  0x0580: 'memory controller',
  0x0600: 'host bridge',
  0x0601: 'ISA bridge',
  0x0604: 'PCI bridge',
  0x0680: 'bridge',
  0x0700: 'serial port',
  0x0780: 'communication controller',
  0x0800: 'interrupt controller',
  0x0805: 'SD card reader',
  0x0806: 'IOMMU',
  0x0880: 'system peripheral',
  0x0c03: 'USB controller',
  0x0c05: 'SMBus',
  0x0c80: 'serial bus controller',
  0x0d11: 'Bluetooth',
  0x1000: 'encryption controller',
  0x1080: 'encryption controller',
  0x1180: 'signal processing',
  0x1200: 'processing accelerator',
  0x1300: 'instrumentation',
}
const baseClassWords: Readonly<Record<number, string>> = {
  0x01: 'storage controller',
  0x02: 'network',
  0x03: 'display',
  0x04: 'multimedia',
  0x05: 'memory',
  0x06: 'bridge',
  0x07: 'communication controller',
  0x08: 'system peripheral',
  0x09: 'input device',
  0x0b: 'processor',
  0x0c: 'serial bus controller',
  0x0d: 'wireless controller',
  0x12: 'processing accelerator',
}

/** What kind of device it is, in words. */
export const classText = (classCode: number): string =>
  classWords[classCode >> 8] ??
  baseClassWords[classCode >> 16] ??
  `class ${(classCode >> 8).toString(16).padStart(4, '0')}`
