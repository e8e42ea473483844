import { functionNumber, type PciDevice } from './pci-device.ts'

/*
 * Devices that read and write memory under another function's requester id, as the fixups of
 * drivers/pci/quirks.c know them (Linux 6.1 to 7.2). NTB bridges of Microsemi are left out: their aliases
 * stand in registers of theirs.
 */

/** quirk_dma_func0_alias() */
const function0Ids = ['1180:e832', '1180:e476', '6766:3d40', '6766:3d41']

/** quirk_dma_func1_alias(): Marvell's SATA controllers and what is made of them. */
const marvellDevices = '9120 9123 9125 9128 9130 9170 9172 917a 9182 9183 91a0 9215 9220 9230 9235'.split(' ')
const function1Ids = [
  ...marvellDevices.map((device) => `1b4b:${device}`),
  '1103:0642',
  '1103:0645',
  '197b:2392',
  '1c28:0122',
]

/** fixed_dma_alias_tbl: 9005:0285 on these boards does DMA as 01.0. */
const fixedAliasBoards = ['9005:02bb', '9005:02bc']

/** quirk_mic_x200_dma_alias() */
const micX200Ids = ['8086:2260', '8086:2264']
/** quirk_pex_vca_alias(): functions 0 to 4 of every slot. */
const vcaIds = ['8086:2954', '8086:2955', '8086:2956', '8086:2958', '8086:2959', '8086:295a']
/** quirk_plx_ntb_dma_alias(): every function there can be. */
const ntbIds = ['10b5:87b0', '10b5:87b1']

const aliasing: ReadonlySet<string> = new Set([
  ...function0Ids,
  ...function1Ids,
  ...micX200Ids,
  ...vcaIds,
  ...ntbIds,
  '9005:0285',
])

/** Whether a device may use another's requester id. */
export const mayUseRequesterId = ({ id }: PciDevice): boolean => aliasing.has(id)

const devfn = (slot: number, fn: number): number => (slot << 3) | fn

/** Whether a device does DMA under a function number of its bus that is not its own. */
export function usesRequesterId(device: PciDevice, other: number): boolean {
  if (!mayUseRequesterId(device)) return false
  const own = functionNumber(device.address)
  const slot = own >> 3
  const { id } = device
  if (own === other) return false
  if (function0Ids.includes(id)) return other === devfn(slot, 0)
  if (function1Ids.includes(id)) return other === devfn(slot, 1)
  if (id === '9005:0285' && fixedAliasBoards.includes(device.config.subsystem ?? ''))
    return other === devfn(1, 0)
  if (micX200Ids.includes(id)) return [devfn(0x10, 0), devfn(0x11, 0), devfn(0x12, 3)].includes(other)
  if (vcaIds.includes(id)) return (other & 7) < 5
  return ntbIds.includes(id)
}
