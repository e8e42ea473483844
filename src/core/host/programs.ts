/** Debian packages that hold the programs fwbuild starts, for "not found" messages and `--install-missing`. */
const packageOfProgram: Readonly<Record<string, string>> = {
  'apt-ftparchive': 'apt-utils',
  bash: 'bash',
  cpio: 'cpio',
  debootstrap: 'debootstrap',
  docker: 'docker.io',
  dockerd: 'docker.io',
  'dpkg-deb': 'dpkg',
  gcc: 'gcc',
  git: 'git',
  gpg: 'gpg',
  make: 'make',
  mke2fs: 'e2fsprogs',
  modinfo: 'kmod',
  mmdebstrap: 'mmdebstrap',
  patch: 'patch',
  prlimit: 'util-linux',
  'qemu-img': 'qemu-utils',
  'qemu-storage-daemon': 'qemu-system-common',
  'qemu-system-x86_64': 'qemu-system-x86',
  setpriv: 'util-linux',
  sfdisk: 'fdisk',
  tar: 'tar',
}

/** Debian package that provides a program (name or path), or undefined where fwbuild does not know. */
export function debianPackageOf(program: string): string | undefined {
  return packageOfProgram[program.slice(program.lastIndexOf('/') + 1)]
}
