import type { DebControl, MaintainerScripts, ScriptAction } from './deb-control.ts'
import { upstreamVersion } from './zfs-meta.ts'

export interface ZfsPackageSpec {
  /** Release of the kernel, as in /lib/modules/RELEASE. */
  readonly release: string
  /** Version of the package linux-image-RELEASE that the modules were built for. */
  readonly imageVersion: string
  /** Version of ZFS, e.g. `2.3.9-0+deb13u1`. */
  readonly zfsVersion: string
  readonly maintainer: string
}

/**
 * The package `zfs-modules-RELEASE`. Its version holds that of the kernel package, so that a kernel that was
 * built again takes its modules with it in an upgrade.
 *
 * `zfs-modules` is the name by which Debian's zfsutils-linux recommends modules from whatever source.
 * zfs-dkms is in conflict because DKMS would put a second zfs.ko for this kernel into updates/, which
 * modprobe prefers.
 */
export function zfsModulesPackage(spec: ZfsPackageSpec): {
  readonly control: DebControl
  readonly scripts: MaintainerScripts
} {
  const { release, imageVersion, zfsVersion, maintainer } = spec
  const upstream = upstreamVersion(zfsVersion)
  return {
    control: {
      name: `zfs-modules-${release}`,
      version: `${upstream}+k${imageVersion.replace(/^\d+:/, '')}`,
      maintainer,
      depends: [`linux-image-${release} (= ${imageVersion})`, 'kmod'],
      provides: [`zfs-modules (= ${zfsVersion})`],
      recommends: ['zfsutils-linux'],
      conflicts: ['zfs-dkms'],
      synopsis: `OpenZFS ${upstream} modules for Linux ${release}`,
      description: [
        'spl.ko and zfs.ko, compiled for exactly this kernel instead of by DKMS. The commands (zpool, zfs) are in zfsutils-linux.',
      ],
    },
    scripts: { postinst: index(release, 'configure'), postrm: index(release, 'remove') },
  }
}

/**
 * Indexes the modules and, where this kernel has an initial RAM disk, makes that again with or without them.
 * On removal the kernel can be gone already; then nothing is to be done.
 */
function index(release: string, when: 'configure' | 'remove'): readonly ScriptAction[] {
  const kernel = `/lib/modules/${release}/modules.order`
  return [
    { on: [when], needs: [kernel], argv: ['depmod', '-a', release] },
    {
      on: [when],
      needs: [kernel, `/boot/initrd.img-${release}`, 'update-initramfs'],
      argv: ['update-initramfs', '-u', '-k', release],
    },
  ]
}
