import type { DebControl, DebFile, MaintainerScripts } from './deb-control.ts'

/** A PCI device as sysfs shows it. */
export interface SettingsDevice {
  /** `0000:01:00.0` */
  readonly bdf: string
  /** `vvvv:dddd`, lower case. */
  readonly id: string
  /** PCI class, `0x030000`. */
  readonly pciClass: string
  /** Kernel modules that would drive it, as `modinfo`'s aliases or its bound driver name them. */
  readonly modules: readonly string[]
}

export interface BootSettings {
  /** `other`: what either vendor's IOMMU needs; the other one's parameters are ignored. */
  readonly cpuVendor: 'intel' | 'amd' | 'other'
  /** Kernel parameters of the override: `pcie_acs_override=…`, or none. */
  readonly overrideParameters: readonly string[]
  /** Devices that vfio-pci shall have. */
  readonly passthrough: readonly SettingsDevice[]
  /** `uname -r` of the kernel that the package goes with. */
  readonly kernelRelease: string
}

/** Where the package keeps what. */
export const settingsPaths = {
  grub: '/etc/default/grub.d/50-fwbuild-acs.cfg',
  modprobe: '/etc/modprobe.d/fwbuild-vfio.conf',
  initramfs: '/usr/share/initramfs-tools/modules.d/fwbuild',
} as const

export const settingsPackage = 'fwbuild-host-settings'

/**
 * What the kernel command line gets, as Documentation/admin-guide/kernel-parameters.txt has it. AMD's IOMMU is on
 * by itself and has no parameter to say so.
 */
export function bootParameters(settings: BootSettings): readonly string[] {
  // Without its IOMMU the integrated GPU cannot be handed to a guest.
  const igfx = settings.passthrough.some(isIntegratedGraphics) ? '' : ',igfx_off'
  const intel = settings.cpuVendor === 'amd' ? [] : [`intel_iommu=on${igfx}`]
  return [...intel, 'iommu=pt', ...settings.overrideParameters]
}

const isIntegratedGraphics = ({ bdf, id, pciClass }: SettingsDevice): boolean =>
  id.startsWith('8086:') && pciClass.startsWith('0x03') && bdf.startsWith('0000:00:')

/** The files of the package; those for vfio-pci only where a device is named. */
export function bootSettingsFiles(settings: BootSettings): readonly DebFile[] {
  const { passthrough } = settings
  const parameters = bootParameters(settings).join(' ')
  const grub = {
    path: settingsPaths.grub,
    content: [
      `# Made by fwbuild; goes with the package ${settingsPackage}.`,
      '# Kernels without the ACS override ignore its parameter.',
      `GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT ${parameters}"`,
      '',
    ].join('\n'),
  }
  if (passthrough.length === 0) return [grub]
  const ids = [...new Set(passthrough.map(({ id }) => id))].sort()
  const modules = new Set(passthrough.flatMap((device) => device.modules))
  modules.delete('vfio-pci')
  return [
    grub,
    {
      path: settingsPaths.modprobe,
      content: [
        `# Made by fwbuild; goes with the package ${settingsPackage}.`,
        ...passthrough.map(({ bdf, id }) => `# ${bdf} is ${id}`),
        // In its order of loading it is first, whoever asks for the device's own driver.
        ...[...modules].sort().map((name) => `softdep ${name} pre: vfio-pci`),
        `options vfio-pci ids=${ids.join(',')}`,
        '',
      ].join('\n'),
    },
    {
      path: settingsPaths.initramfs,
      // Loaded before udev looks for drivers, from the initramfs on.
      content: '# Made by fwbuild.\nvfio-pci\n',
    },
  ]
}

/** Control data of the package. */
export function bootSettingsControl(
  settings: BootSettings,
  own: { readonly version: string; readonly maintainer: string },
): DebControl {
  return {
    name: settingsPackage,
    ...own,
    architecture: 'all',
    section: 'admin',
    // Configured after it, so that its initramfs is there to be made again.
    depends: [`linux-image-${settings.kernelRelease}`],
    synopsis: 'boot settings of a host kernel made by fwbuild',
    description: [
      'Kernel parameters for the IOMMU and the ACS override, as a drop-in for GRUB, and the devices that vfio-pci takes.',
      'Nothing of it is a configuration file in the sense of dpkg: it was computed for one machine, and removing the package takes it all away.',
    ],
  }
}

/** A boot menu is made again only where there is one: not in a container, not before GRUB is installed. */
const updateGrub = { needs: ['update-grub', '/boot/grub/grub.cfg'], argv: ['update-grub'] } as const

/**
 * What the package does when it comes and goes. The initramfs of the new kernel alone takes the devices up: the
 * kernels to fall back to keep what they booted with until they are updated. On the way out all are cleared.
 */
export function bootSettingsScripts(settings: BootSettings): MaintainerScripts {
  const initramfs = settings.passthrough.length > 0
  const release = settings.kernelRelease
  return {
    postinst: [
      ...(initramfs
        ? [
            {
              on: ['configure'],
              needs: ['update-initramfs', `/boot/initrd.img-${release}`],
              argv: ['update-initramfs', '-u', '-k', release],
            },
          ]
        : []),
      { on: ['configure'], ...updateGrub },
    ],
    postrm: [
      ...(initramfs
        ? [
            {
              on: ['remove'],
              needs: ['update-initramfs'],
              argv: ['update-initramfs', '-u', '-k', 'all'],
            },
          ]
        : []),
      { on: ['remove'], ...updateGrub },
    ],
  }
}
