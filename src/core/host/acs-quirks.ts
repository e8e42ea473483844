import type { PciDevice } from './pci-device.ts'

/*
 * What the table pci_dev_acs_enabled[] of drivers/pci/quirks.c (Linux 6.1 to 7.2) says of hardware of x86 machines whose
 * own registers say otherwise. Entries for ports of other architectures' processors are left out.
 */

const idRange = (vendor: string, first: number, last: number): readonly string[] =>
  Array.from(
    { length: last - first + 1 },
    (_, at) => `${vendor}:${(first + at).toString(16).padStart(4, '0')}`,
  )
const ids = (vendor: string, devices: string): readonly string[] =>
  devices.split(' ').map((device) => `${vendor}:${device}`)

/** pci_quirk_mf_endpoint_acs(): functions that their maker vouches for. */
const isolatedFunctions: ReadonlySet<string> = new Set([
  ...ids('1924', '0903 0923 0a03'),
  ...ids('8086', '10c6 10db 10dd 10e1 10f1 10f7 10f8 10f9 10fa 10fb 10fc 1507 1514 151c 1529 152a 154d 154f'),
  ...ids('8086', '1551 1558 1509 150e 150f 1510 1511 1516 1527 10c9 10e6 10e7 10e8 150a 150d 1518 1526'),
  ...ids('8086', '10a7 10a9 10d6 1521 1522 1523 1524 105e 105f 1060 10d9 15b7 15b8'),
  ...ids('19a2', '0710'),
  ...ids('10df', '0720'),
  ...ids('14e4', '16d7 1750 1751 1752 1760 1761 1762 1763'),
  ...ids('1d17', '3038 3104 9083'),
])

/** pci_quirk_amd_sb_acs(): functions of AMD's south bridges on a root bus. */
const southBridgeFunctions: ReadonlySet<string> = new Set([
  ...ids('1002', '4385 439c 4383 439d 4384 4399'),
  ...ids('1022', '780f 7809'),
])

/** pci_quirk_intel_pch_acs_ids: root ports without the capability that the kernel can make isolate. */
const chipsetPorts: ReadonlySet<string> = new Set([
  ...idRange('8086', 0x3b42, 0x3b51),
  ...idRange('8086', 0x1c10, 0x1c1f),
  ...idRange('8086', 0x1e10, 0x1e1f),
  ...idRange('8086', 0x8c10, 0x8c1f),
  ...idRange('8086', 0x9c10, 0x9c1b),
  ...idRange('8086', 0x9c90, 0x9c9b),
  ...ids('8086', '1d10 1d12 1d14 1d16 1d18 1d1a 1d1c 1d1e'),
  ...idRange('8086', 0x8d10, 0x8d1e),
  ...ids('8086', '8c90 8c92 8c94 8c96 8c98 8c9a 8c9c 8c9e'),
])

/** pci_quirk_zhaoxin_pcie_ports_acs() */
const zhaoxinPorts: ReadonlySet<string> = new Set([
  ...idRange('1d17', 0x0710, 0x071e),
  '1d17:0721',
  ...idRange('1d17', 0x0723, 0x0752),
])

/** pci_quirk_wangxun_nic_acs() */
const wangxunFunctions: ReadonlySet<string> = new Set([
  ...idRange('8088', 0x0100, 0x010f),
  ...ids('8088', '1001 2001 5010 5025 5040 5110 5125 5140'),
])

/**
 * pci_dev_specific_acs_enabled() without the entry of the override.
 * @returns undefined where no quirk answers and the registers decide
 */
export function acsQuirk(device: PciDevice, multifunction: boolean): boolean | undefined {
  const { id, config, parent } = device
  if (isolatedFunctions.has(id)) return true
  if (southBridgeFunctions.has(id) && multifunction && parent === undefined) return true
  // "RCiEPs are required to allow peer-to-peer only on translated addresses": pci_quirk_rciep_acs().
  if (id.startsWith('8086:') && config.integrated === true) return true
  if (config.express === 'root-port' && chipsetPorts.has(id)) return true
  const isPort = config.express === 'root-port' || config.express === 'downstream-port'
  if (id.startsWith('1d17:') && isPort) return zhaoxinPorts.has(id)
  return id.startsWith('8088:') ? wangxunFunctions.has(id) : undefined
}
