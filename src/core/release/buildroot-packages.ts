/** Debian suites a buildroot can be made of, newest first. */
export const debianSuites = ['trixie', 'bookworm', 'bullseye', 'buster'] as const
export type DebianSuite = (typeof debianSuites)[number]

/**
 * What OpenWrt checks for (include/prereq-build.mk of lede-17.01 to main) and what its packages take
 * for granted, with ccache for rebuilds, qemu-utils for VMDK, VDI and VHDX, genisoimage for ISO.
 */
const openwrt: readonly string[] = [
  'build-essential',
  'ca-certificates',
  'ccache',
  'file',
  'gawk',
  'genisoimage',
  'gettext',
  'git',
  'libelf-dev',
  'libncurses-dev',
  'libssl-dev',
  'patch',
  'perl',
  'python3',
  'python3-dev',
  'python3-setuptools',
  'qemu-utils',
  'rsync',
  'swig',
  'time',
  'unzip',
  'wget',
  'xsltproc',
  'xz-utils',
  'zlib1g-dev',
  'zstd',
]

/** The mini tree takes kernel, userland and boot loader from Debian instead of building its own tools. */
const mini: readonly string[] = [
  'bc',
  'bison',
  'cpio',
  'dosfstools',
  'e2fsprogs',
  'fakeroot',
  'fdisk',
  'flex',
  'kconfig-frontends-nox',
  'kmod',
  'libdevmapper1.02.1',
  'liblzma5',
  'mtools',
]

/** Host kernels as packages, and the modules beside them; busybox-static for the boot proof. */
const hostKernel: readonly string[] = [
  'apt-utils',
  'busybox-static',
  'debhelper',
  'debian-archive-keyring',
  'gnupg',
  'libdw-dev',
]

/** What only some suites have: Python 2 (17.01 to 19.07) ended with bullseye, distutils with bookworm. */
const ofSuite: Readonly<Record<DebianSuite, readonly string[]>> = {
  trixie: [],
  bookworm: ['python3-distutils'],
  bullseye: ['python2', 'python3-distutils'],
  buster: ['python2', 'python3-distutils'],
}

/** Packages of the buildroot image on a suite, sorted. */
export function buildrootPackages(suite: DebianSuite): readonly string[] {
  return [...openwrt, ...mini, ...hostKernel, ...ofSuite[suite]].sort()
}
