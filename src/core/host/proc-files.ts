/** The block device of the root file system: its number, or its name where the number is none of a disk. */
export type RootDevice = { readonly number: string } | { readonly name: string }

/**
 * Reads /proc/self/mountinfo, proc(5).
 * @returns undefined where the root is on no block device that it tells of (ZFS, overlay, network)
 */
export function rootDevice(mountinfo: string): RootDevice | undefined {
  // A later mount hides an earlier one on the same point.
  const line = mountinfo.split('\n').findLast((text) => text.split(' ')[4] === '/')
  if (line === undefined) return undefined
  const [before = '', after = ''] = line.split(' - ')
  const number = before.split(' ')[2] ?? ''
  if (!number.startsWith('0:')) return { number }
  // btrfs has a number of its own; its source is one of its disks.
  const name = /^\S+ \/dev\/([^/ ]+) /.exec(`${after} `)?.[1]
  return name === undefined ? undefined : { name }
}

/** Interfaces of the IPv4 default routes in /proc/net/route. */
export const defaultRouteInterfaces = (route: string): readonly string[] =>
  route
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .flatMap(([name = '', destination, , , , , , mask]) =>
      destination === '00000000' && mask === '00000000' ? [name] : [],
    )

/** Options behind `pcie_acs_override=` in /proc/cmdline; given more than once, the kernel adds them up. */
export const acsOverrideOptions = (cmdline: string): readonly string[] =>
  cmdline
    .split(/\s+/)
    .flatMap((word) => /^pcie_acs_override=(.*)$/.exec(word)?.[1]?.split(',') ?? [])
    .filter((option) => option !== '')
