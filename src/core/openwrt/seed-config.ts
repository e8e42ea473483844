import { renderFragment } from '../kconfig/merge.ts'
import type { Assignment, Need } from '../kconfig/types.ts'
import type { OpenwrtSpec } from '../spec/openwrt-spec.ts'

export interface SeedOptions {
  /** Whether the tree has KERNEL_PCI_HYPERV and it is to be on. */
  readonly pciHyperv: boolean
  /** Packages that --share and the like add. */
  readonly packages: readonly string[]
  /** Where make finds and keeps source archives, as the build sees it. */
  readonly downloadFolder: string
  /** A merge brought EFI images to a release without its own. */
  readonly efiSymbol: string | undefined
}

/** With EFI the kernel partition is a FAT file system that holds GRUB too. */
const defaultKernelSizeMb = 32

/**
 * What is asked of OpenWrt's own configuration (.config before `make defconfig`). Required ones must
 * survive it; the others are for releases that know them.
 */
export function seedConfig(spec: OpenwrtSpec, options: SeedOptions): readonly Assignment[] {
  const file = 'fwbuild'
  const wanted: Assignment[] = []
  const set = (symbol: string, value: string, need: Need): void => {
    wanted.push({ symbol, value, need, origin: { file, line: wanted.length + 1 } })
  }
  set('TARGET_x86', 'y', 'required')
  set('TARGET_x86_64', 'y', 'required')
  set(spec.release.profile, 'y', 'required')
  set('TARGET_ROOTFS_EXT4FS', 'y', 'required')
  set('TARGET_ROOTFS_SQUASHFS', 'y', 'optional')
  set('TARGET_KERNEL_PARTSIZE', String(spec.kernelSizeMb ?? defaultKernelSizeMb), 'required')
  if (spec.rootfsSizeMb !== undefined) set('TARGET_ROOTFS_PARTSIZE', String(spec.rootfsSizeMb), 'required')
  if (spec.release.padImages) set('TARGET_IMAGES_PAD', 'y', 'required')
  set('GRUB_IMAGES', 'y', 'required')
  set('TARGET_IMAGES_GZIP', 'y', 'optional')
  if (options.efiSymbol !== undefined) {
    const efi = spec.firmwares.includes('uefi')
    set(options.efiSymbol, efi ? 'y' : 'n', efi ? 'required' : 'optional')
  }
  // Images are converted from the raw ones, the same way for every release.
  for (const symbol of ['VMDK_IMAGES', 'VDI_IMAGES', 'VHDX_IMAGES', 'ISO_IMAGES'])
    set(symbol, 'n', 'optional')
  if (options.pciHyperv) set('KERNEL_PCI_HYPERV', 'y', 'required')
  for (const name of [...new Set([...spec.packages, ...options.packages])].sort()) {
    set(`PACKAGE_${name}`, 'y', 'required')
  }
  set('DEVEL', 'y', 'required')
  set('CCACHE', 'y', 'optional')
  set('BUILD_LOG', 'y', 'optional')
  set('DOWNLOAD_FOLDER', JSON.stringify(options.downloadFolder), 'required')
  return wanted
}

/** The text of .config for a list of assignments. */
export const seedText = (assignments: readonly Assignment[]): string => renderFragment(assignments)
