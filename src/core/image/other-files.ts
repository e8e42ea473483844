import type { ImageFormat } from './formats.ts'

/** How much of an image `namesOtherFiles` wants to see. */
export const headBytes = 1 << 20

/**
 * Whether the head of an image says that part of the disk lies in another file, which whoever opens the image
 * would open too. Only what can be told without opening anything: qemu-img looks at the rest.
 * @param head the first bytes of the file, at most `headBytes`
 * @returns what names it; undefined where nothing does. VHDX, VHD and VDI with a parent are not read by QEMU at all.
 */
export function namesOtherFiles(format: ImageFormat, head: Uint8Array): string | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  if (format === 'qcow2') return qcow2Names(view)
  return format === 'vmdk' ? vmdkNames(view, head) : undefined
}

/** Header of QEMU's docs/interop/qcow2.txt; numbers are big-endian. */
function qcow2Names(view: DataView): string | undefined {
  if (view.byteLength < 80 || view.getUint32(0) !== 0x51_46_49_fb) return undefined
  if (view.getBigUint64(8) !== 0n) return 'a backing file'
  const externalData = 1n << 2n
  const isVersion3 = view.getUint32(4) >= 3
  return isVersion3 && (view.getBigUint64(72) & externalData) !== 0n ? 'an external data file' : undefined
}

const sectorBytes = 512
const mostDescriptorSectors = 128

/** Header of VMware's "Virtual Disk Format 5.0", section 4; numbers are little-endian. */
function vmdkNames(view: DataView, head: Uint8Array): string | undefined {
  const isSparse = view.byteLength >= 79 && view.getUint32(0, true) === 0x56_4d_44_4b
  // A descriptor alone has its extents in other files, and so has a header without a capacity.
  if (!isSparse) return textOf(head).includes('createType') ? 'extents in other files' : undefined
  if (view.getBigUint64(12, true) === 0n) return 'extents in other files'
  const start = Number(view.getBigUint64(28, true)) * sectorBytes
  const sectors = Math.min(Number(view.getBigUint64(36, true)), mostDescriptorSectors)
  const descriptor = textOf(head.subarray(start, start + sectors * sectorBytes))
  return /^\s*parentFileNameHint\s*=/m.test(descriptor) ? 'a parent disk' : undefined
}

const textOf = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes)

/**
 * The first file beside the image itself that `qemu-img info --output=json` tells of, at any depth.
 * @param info what it printed, parsed
 * @param own the name by which it was given the image
 */
export function otherFileOf(info: unknown, own: string): string | undefined {
  if (typeof info !== 'object' || info === null) return undefined
  for (const [key, value] of Object.entries(info)) {
    if (fileKeys.has(key) && typeof value === 'string' && value !== own) return value
    const inner = otherFileOf(value, own)
    if (inner !== undefined) return inner
  }
  return undefined
}

/** Of ImageInfo and what is below it in QEMU's qapi/block-core.json. */
const fileKeys: ReadonlySet<string> = new Set([
  'filename',
  'backing-filename',
  'full-backing-filename',
  'data-file',
])
