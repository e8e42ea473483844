import { lstat, open, readdir, readFile, readlink, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { messageOf, usageError } from '../core/errors.ts'
import { pciAddress, readPciConfig, type HostUse, type PciDevice } from '../core/host/pci-device.ts'
import {
  acsOverrideOptions,
  defaultRouteInterfaces,
  rootDevice,
  type RootDevice,
} from '../core/host/proc-files.ts'

/** What a machine's sysfs tells of its PCI devices. */
export interface PciHost {
  readonly devices: readonly PciDevice[]
  /** ACPI tables of an IOMMU: DMAR (Intel VT-d), IVRS (AMD-Vi). */
  readonly iommuTables: readonly string[]
  /** Options of `pcie_acs_override=` on the kernel's command line; a kernel without the patch ignores them. */
  readonly acsOverride: readonly string[]
}

/**
 * Reads all PCI devices.
 * @param sysfs a directory laid out as /sys
 * @param proc where the root file system and the default route are asked for; undefined: nobody is asked
 * @throws usage E_SYSFS
 */
export async function readPciHost(sysfs: string, proc: string | undefined): Promise<PciHost> {
  const folder = join(sysfs, 'bus/pci/devices')
  const names = await readdir(folder).catch((error: unknown) => {
    throw usageError('E_SYSFS', `${sysfs} is not a readable sysfs: ${messageOf(error)}`, {
      hint: 'It has to hold bus/pci/devices.',
    })
  })
  const root = await rootPath(sysfs, proc)
  const routes = defaultRouteInterfaces(await text(join(proc ?? '', 'net/route'), proc !== undefined))
  const devices: PciDevice[] = []
  for (const name of names.sort()) {
    if (pciAddress(name) !== name) continue
    devices.push(await readDevice(join(folder, name), name, { root, routes }))
  }
  const tables = await list(join(sysfs, 'firmware/acpi/tables'))
  const cmdline = await text(join(proc ?? '', 'cmdline'), proc !== undefined)
  return {
    devices,
    iommuTables: tables.filter((name) => name === 'DMAR' || name === 'IVRS'),
    acsOverride: acsOverrideOptions(cmdline),
  }
}

interface Surroundings {
  readonly root: RootPaths
  /** Interfaces of the default route. */
  readonly routes: readonly string[]
}

/** Places in sysfs of the disks the root file system is on; undefined: it could not be found out. */
type RootPaths = readonly string[] | undefined

async function readDevice(link: string, address: string, around: Surroundings): Promise<PciDevice> {
  const path = await devicePath(link)
  const above = basename(dirname(path))
  const number = async (name: string): Promise<number> => Number.parseInt(await text(join(path, name)), 16)
  const hex = (value: number): string => (Number.isNaN(value) ? 0 : value).toString(16).padStart(4, '0')
  const group = Number.parseInt(basename(await target(join(path, 'iommu_group'))), 10)
  const driver = basename(await target(join(path, 'driver')))
  return {
    address,
    parent: pciAddress(above) === above ? above : undefined,
    classCode: (await number('class')) || 0,
    id: `${hex(await number('vendor'))}:${hex(await number('device'))}`,
    driver: driver === '' ? undefined : driver,
    group: Number.isNaN(group) ? undefined : group,
    config: readPciConfig(await configBytes(join(path, 'config'))),
    uses: await usesOf(path, around),
    ...named('physicalFunction', basename(await target(join(path, 'physfn')))),
    ...named('domainController', domainController(path)),
  }
}

const named = <Name extends string>(name: Name, address: string): { readonly [key in Name]?: string } =>
  pciAddress(address) === address ? ({ [name]: address } as { [key in Name]?: string }) : {}

/** The device above the host bridge of a domain of its own: `…/0000:00:0e.0/pci10000:e0/…`; empty for most. */
function domainController(path: string): string {
  const parts = path.split('/')
  return parts[parts.findLastIndex((part) => /^pci[0-9a-f]{4,8}:[0-9a-f]{2}$/.test(part)) - 1] ?? ''
}

async function usesOf(path: string, around: Surroundings): Promise<readonly HostUse[]> {
  const uses: HostUse[] = []
  if ((await text(join(path, 'boot_vga'))).trim() === '1') uses.push({ text: 'boot VGA', needed: true })
  for (const name of await list(join(path, 'net')))
    uses.push(await interfaceUse(join(path, 'net'), name, around))
  for (const disk of await disksBelow(path)) uses.push(diskUse(disk, around.root))
  const inputs = await usbDevices(path)
  if (inputs.length > 0) uses.push({ text: `USB: ${inputs.join(', ')}`, needed: true })
  return uses
}

async function interfaceUse(folder: string, name: string, { routes }: Surroundings): Promise<HostUse> {
  const state = (await text(join(folder, name, 'operstate'))).trim()
  const master = basename(await target(join(folder, name, 'master')))
  const routed = routes.includes(name) || (master !== '' && routes.includes(master))
  const notes = [
    ...(routed ? ['default route'] : []),
    ...(master === '' ? [] : [`in ${master}`]),
    ...(state === 'up' ? ['up'] : []),
  ]
  return {
    text: `network ${name}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`,
    needed: notes.length > 0,
  }
}

function diskUse(disk: string, root: RootPaths): HostUse {
  const name = basename(disk)
  if (root?.includes(disk) === true) return { text: `root disk ${name}`, needed: true }
  // Where the root could not be found, any disk may be it.
  return { text: `disk ${name}`, needed: root === undefined }
}

/** Paths of whole disks on a controller; not those of devices behind a bridge. */
async function disksBelow(path: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory() || pciAddress(entry.name) === entry.name) continue
    const inside = join(path, entry.name)
    if (entry.name === 'block') found.push(...(await list(inside)).map((name) => join(inside, name)))
    else if (/^nvme\d+n\d+$/.test(entry.name)) found.push(inside)
    else if (
      /^(?:nvme|ata|host|target|port|end_device|expander|virtio|sas)|^\d+:\d+:\d+:\d+$/.test(entry.name)
    ) {
      found.push(...(await disksBelow(inside)))
    }
  }
  return found
}

/** What is plugged in at a USB controller, hubs left out. */
async function usbDevices(path: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const bus of (await list(path)).filter((name) => /^usb\d+$/.test(name))) {
    found.push(...(await usbBelow(join(path, bus))))
  }
  return found
}

const usbHubClass = '09'

async function usbBelow(path: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const name of (await list(path)).filter((entry) => /^\d+-[\d.]+$/.test(entry))) {
    const inside = join(path, name)
    const product = (await text(join(inside, 'product'))).trim()
    if ((await text(join(inside, 'bDeviceClass'))).trim() === usbHubClass)
      found.push(...(await usbBelow(inside)))
    else found.push(product === '' ? name : product)
  }
  return found
}

async function rootPath(sysfs: string, proc: string | undefined): Promise<RootPaths> {
  if (proc === undefined) return undefined
  const root = rootDevice(await text(join(proc, 'self/mountinfo')))
  if (root === undefined) return undefined
  const disks = await wholeDisks(await realpath(blockLink(sysfs, root)).catch(() => ''))
  return disks.length === 0 ? undefined : disks
}

const blockLink = (sysfs: string, root: RootDevice): string =>
  'name' in root ? join(sysfs, 'class/block', root.name) : join(sysfs, 'dev/block', root.number)

/** A partition's disk; the disks that a volume (LVM, dm-crypt, RAID) lies on. */
async function wholeDisks(block: string): Promise<readonly string[]> {
  if (block === '') return []
  const lower = await list(join(block, 'slaves'))
  if (lower.length > 0) {
    const paths = await Promise.all(
      lower.map((name) => realpath(join(block, 'slaves', name)).catch(() => '')),
    )
    return (await Promise.all(paths.map(wholeDisks))).flat()
  }
  return [(await text(join(block, 'partition'))) === '' ? block : dirname(block)]
}

/** At most 4096 bytes; others than root get 64. */
async function configBytes(path: string): Promise<Uint8Array> {
  const buffer = Buffer.alloc(4096)
  try {
    const file = await open(path)
    try {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch {
    return new Uint8Array()
  }
}

const text = async (path: string, wanted = true): Promise<string> =>
  wanted ? readFile(path, 'utf8').catch(() => '') : ''
/** A copy on a file system without symbolic links has small files that hold the target, as git writes them. */
const target = async (path: string): Promise<string> =>
  readlink(path).catch(async () => ((await isFile(path)) ? (await text(path)).trim() : ''))
const isFile = async (path: string): Promise<boolean> =>
  lstat(path).then(
    (stats) => stats.isFile() && stats.size < 4096,
    () => false,
  )
/** Where a device's folder lies below /sys/devices. */
const devicePath = async (link: string): Promise<string> =>
  (await isFile(link)) ? realpath(join(dirname(link), await target(link))) : realpath(link)
const list = async (path: string): Promise<readonly string[]> =>
  readdir(path).then(
    (names) => names.sort(),
    () => [],
  )
