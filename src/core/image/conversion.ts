import type { ImageFormat } from './formats.ts'

const sectorBytes = 512
const mebibyte = 1024 * 1024

/**
 * Size to cut a raw image to: upstream's metadata may follow the last whole sector, and no disk
 * has a part of a sector.
 */
export const wholeSectorBytes = (bytes: number): number => bytes - (bytes % sectorBytes)

/**
 * The largest disk that is taken from a build or unpacked. Real ones have a few GiB at most, and a gzip file may
 * unpack to a thousand times its size.
 */
export const mostDiskBytes = 64 * 1024 ** 3

/** Azure takes a fixed VHD only when its virtual size is a multiple of 1 MiB; more is added, nothing cut. */
export const azureDiskBytes = (bytes: number): number => Math.ceil(bytes / mebibyte) * mebibyte

/**
 * Options of qemu-img's drivers (its manual, "Disk image file formats"). streamOptimized with an
 * lsilogic adapter is the VMDK that ESXi imports; force_size keeps the size exact instead of
 * rounding it to a CHS geometry.
 */
const driverOptions: Readonly<Record<ImageFormat, string | undefined>> = {
  raw: undefined,
  qcow2: 'compat=1.1',
  vmdk: 'subformat=streamOptimized,adapter_type=lsilogic',
  vhdx: 'subformat=dynamic',
  vpc: 'subformat=fixed,force_size=on',
  vdi: undefined,
}

/** The qemu-img runs, in order, that make `to` of a raw image; each is an argument array. */
export function conversionCommands(
  from: { readonly path: string; readonly bytes: number },
  format: ImageFormat,
  to: string,
): readonly (readonly string[])[] {
  const options = driverOptions[format]
  const optionArguments = options === undefined ? [] : ['-o', options]
  const bytes = azureDiskBytes(from.bytes)
  if (format === 'vpc' && bytes !== from.bytes) {
    // convert cannot grow the disk: make it in its final size first and fill that.
    return [
      ['qemu-img', 'create', '-q', '-f', format, ...optionArguments, to, String(bytes)],
      ['qemu-img', 'convert', '-n', '-f', 'raw', '-O', format, from.path, to],
    ]
  }
  return [['qemu-img', 'convert', '-f', 'raw', '-O', format, ...optionArguments, from.path, to]]
}

/** Compares two images by their guest-visible content: exit 0 same, 1 different, 2 and more error. */
export function compareCommand(
  left: { readonly path: string; readonly format: ImageFormat },
  right: { readonly path: string; readonly format: ImageFormat },
): readonly string[] {
  return ['qemu-img', 'compare', '-q', '-f', left.format, '-F', right.format, left.path, right.path]
}
