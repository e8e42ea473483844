import { extensionOf, type ImageFormat } from './formats.ts'

export const firmwares = ['bios', 'uefi'] as const
export type Firmware = (typeof firmwares)[number]

export type ImageKind = 'combined' | 'rootfs' | 'kernel' | 'iso'

/** What a file in bin/targets/x86/64 is, as far as its name tells. */
export interface UpstreamImage {
  readonly kind: ImageKind
  /** `uefi`: has an EFI boot loader; upstream's such images start from BIOS too. */
  readonly firmware: Firmware
  readonly filesystem: 'ext4' | 'squashfs' | undefined
  /** Raw disk or file, or an upstream conversion. */
  readonly format: ImageFormat
  readonly gzip: boolean
  /** File name without format and compression: outputs are named after it. */
  readonly base: string
}

/*
 * Names read off target/linux/x86/image of each release:
 *   17.01 to 19.07  …-combined-ext4.img.gz, …-rootfs-squashfs.img.gz, …-vmlinuz
 *   x86_uefi merge  …-uefi-gpt-ext4.img.gz
 *   from 21.02      …-ext4-combined.img.gz, …-ext4-combined-efi.img.gz, …-ext4-rootfs.img.gz, …-kernel.bin
 */
const diskName =
  /^(?<base>.+?-(?:(?<old>combined|uefi-gpt|rootfs)-(?<oldFs>ext4|squashfs)|(?<newFs>ext4|squashfs)-(?<kind>combined|rootfs)(?<efi>-efi)?))\.(?<ext>img|vmdk|vdi|vhdx)(?<gzip>\.gz)?$/
const kernelName = /^(?<base>.+-(?:kernel|vmlinuz))(?:\.bin)?$/
const isoName = /^(?<base>.+?(?<efi>-efi)?)\.iso$/

/** Recognises an image file of any release; undefined for all else (manifests, checksums, packages). */
export function recognizeImage(name: string): UpstreamImage | undefined {
  const disk = diskName.exec(name)?.groups
  if (disk !== undefined) {
    const efi = disk['efi'] !== undefined || disk['old'] === 'uefi-gpt'
    return {
      kind: (disk['old'] ?? disk['kind']) === 'rootfs' ? 'rootfs' : 'combined',
      firmware: efi ? 'uefi' : 'bios',
      filesystem: (disk['oldFs'] ?? disk['newFs']) === 'squashfs' ? 'squashfs' : 'ext4',
      format: disk['ext'] === 'img' ? 'raw' : (disk['ext'] as ImageFormat),
      gzip: disk['gzip'] !== undefined,
      base: disk['base'] ?? name,
    }
  }
  const kernel = kernelName.exec(name)?.groups
  if (kernel !== undefined) return other('kernel', 'bios', kernel['base'] ?? name)
  const iso = isoName.exec(name)?.groups
  if (iso !== undefined) {
    return other('iso', iso['efi'] === undefined ? 'bios' : 'uefi', iso['base'] ?? name)
  }
  return undefined
}

const other = (kind: ImageKind, firmware: Firmware, base: string): UpstreamImage => ({
  kind,
  firmware,
  filesystem: undefined,
  format: 'raw',
  gzip: false,
  base,
})

/** Name of a converted image: upstream's name with the format's extension. */
export const outputName = (image: UpstreamImage, format: ImageFormat): string =>
  `${image.base}${extensionOf(format)}`
