import { upstreamVersion } from './zfs-meta.ts'

/** Plain data of a Debian package; packed by others. */
export interface PackageData {
  readonly name: string
  readonly version: string
  readonly fields: Readonly<Record<string, string>>
  readonly scripts: { readonly postinst: string; readonly postrm: string }
}

export interface ZfsPackageSpec {
  /** Release of the kernel, as in /lib/modules/RELEASE. */
  readonly release: string
  /** Version of the package linux-image-RELEASE that the modules were built for. */
  readonly imageVersion: string
  /** Version of ZFS, e.g. `2.3.9-0+deb13u1`. */
  readonly zfsVersion: string
  /** Sum of the files, in KiB. */
  readonly installedKib: number
}

/**
 * The package `zfs-modules-RELEASE`. Its version holds that of the kernel package, so that a kernel that was
 * built again takes its modules with it in an upgrade.
 *
 * `zfs-modules` is the name by which Debian's zfsutils-linux recommends modules from whatever source.
 * zfs-dkms is in conflict because DKMS would put a second zfs.ko for this kernel into updates/, which
 * modprobe prefers.
 */
export function zfsModulesPackage(spec: ZfsPackageSpec): PackageData {
  const { release, imageVersion, zfsVersion, installedKib } = spec
  const upstream = upstreamVersion(zfsVersion)
  return {
    name: `zfs-modules-${release}`,
    version: `${upstream}+k${imageVersion.replace(/^\d+:/, '')}`,
    fields: {
      Section: 'kernel',
      Priority: 'optional',
      Architecture: 'amd64',
      'Installed-Size': String(installedKib),
      Depends: `linux-image-${release} (= ${imageVersion}), kmod`,
      Provides: `zfs-modules (= ${zfsVersion})`,
      Recommends: 'zfsutils-linux',
      Conflicts: 'zfs-dkms',
      Description: [
        `OpenZFS ${upstream} modules for Linux ${release}`,
        ` spl.ko and zfs.ko, compiled for exactly this kernel instead of by DKMS.`,
        ` The commands (zpool, zfs) are in zfsutils-linux.`,
      ].join('\n'),
    },
    scripts: { postinst: script(release, 'configure'), postrm: script(release, 'remove') },
  }
}

/**
 * Indexes the modules and, where this kernel has an initial RAM disk, makes that again with or without them.
 * On removal the kernel can be gone already; then nothing is to be done.
 */
function script(release: string, when: 'configure' | 'remove'): string {
  return `#!/bin/sh
set -e
release='${release}'
if [ "$1" = ${when} ] && [ -e "/lib/modules/$release/modules.order" ]; then
	depmod -a "$release"
	if [ -e "/boot/initrd.img-$release" ] && command -v update-initramfs >/dev/null; then
		update-initramfs -u -k "$release"
	fi
fi
`
}
