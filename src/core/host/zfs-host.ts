import { upstreamVersion, zfsSeries } from './zfs-meta.ts'

/** What was seen of ZFS on the host. */
export interface HostZfs {
  /** Version of its commands, e.g. `2.1.11-1+deb12u1`. */
  readonly userland: string | undefined
  /** Version of the loaded module. */
  readonly loaded: string | undefined
  /** Whether the package zfs-dkms is installed. */
  readonly dkms: boolean
  /** Whether a pool is imported, or known for the next boot. */
  readonly pools: boolean
}

/** `zfs version` prints `zfs-2.1.11-1` and, where the module is loaded, `zfs-kmod-2.1.11-1`. */
export function parseZfsVersion(text: string): Pick<HostZfs, 'userland' | 'loaded'> {
  return {
    userland: /^zfs-(\d\S*)$/m.exec(text)?.[1],
    loaded: /^zfs-kmod-(\d\S*)$/m.exec(text)?.[1],
  }
}

/** Whether a new kernel is built with ZFS when nobody said: a host that uses it must find it again. */
export const zfsByDefault = ({ userland, loaded }: HostZfs): boolean =>
  userland !== undefined || loaded !== undefined

/**
 * What to tell about the host's commands and the modules that were built for it; undefined where there is
 * nothing to tell. Commands and modules talk over an interface that OpenZFS keeps within a series (Ubuntu
 * ships 2.1.5 commands with 2.1.9 modules) and promises for no other pair.
 * @param built version of the modules, e.g. `2.3.9-0+deb13u1`
 * @param suite where the source of these modules is from, if from a suite
 */
export function zfsMismatch(host: HostZfs, built: string, suite: string | undefined): string | undefined {
  const { userland } = host
  const modules = upstreamVersion(built)
  if (userland === undefined) {
    return `this host has no ZFS commands: install zfsutils-linux ${modules}${suite === undefined ? '' : ` (${suite})`}`
  }
  const commands = upstreamVersion(userland)
  if (commands === modules) return undefined
  const from = suite === undefined ? '' : ` from ${suite}`
  if (zfsSeries(commands) === zfsSeries(modules)) {
    return `the host's ZFS commands are ${commands}, the modules ${modules}: same series, which works together; zfsutils-linux ${modules}${from} would match exactly`
  }
  return [
    `the host's ZFS commands are ${commands}, the modules ${modules}: OpenZFS does not promise that they work together.`,
    'Reading and writing is the modules’ work and does not depend on the commands; importing and mounting do,',
    'and properties or features that only one side knows are refused.',
    `Install zfsutils-linux ${modules}${from} before booting the new kernel, or build the modules for the commands (--zfs=${commands}) if they fit the kernel.`,
    'Do not run ‘zpool upgrade’ while the old kernel is the fallback: it might not read the pool then.',
  ].join('\n')
}

/** What becomes of other kernels' modules; undefined where zfs-dkms is not installed. */
export function dkmsWarning({ dkms, pools }: HostZfs): string | undefined {
  if (!dkms) return undefined
  return [
    'zfs-dkms is installed: the package with the new modules replaces it, and with it go the ZFS modules it made for the other kernels.',
    pools
      ? 'This host has ZFS pools: booting one of these kernels again, they are out of reach until zfs-dkms is back (apt-get install zfs-dkms).'
      : 'To have ZFS in these kernels again: apt-get install zfs-dkms.',
  ].join('\n')
}
