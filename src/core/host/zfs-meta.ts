import { buildError, usageError, type FwbuildError } from '../errors.ts'
import { compareSeries, parseSeries, seriesText } from '../kconfig/series.ts'
import type { KernelSeries } from '../kconfig/types.ts'

/** The file META at the root of every OpenZFS source tree. */
export interface ZfsMeta {
  /** Upstream version, e.g. `2.3.9`. */
  readonly version: string
  /** The packager's part, e.g. `0+deb13u1`; `1` in upstream's own releases. */
  readonly release: string
  /** First and last kernel series that this version is made for; 6.14 means all of 6.14.x. */
  readonly linuxMinimum: KernelSeries
  readonly linuxMaximum: KernelSeries
}

/** A version that can be had, before its META was read. */
export interface ZfsCandidate {
  /** Version of the Debian package, e.g. `2.3.9-0+deb13u1`. */
  readonly version: string
  readonly suite: string
}

/** What is told about a version that does not fit. */
export interface ZfsRange {
  /** As the user can give it to `--zfs`. */
  readonly version: string
  /** A suite, or the path that was given. */
  readonly origin: string
  readonly meta: ZfsMeta
}

/**
 * Reads META; the same lines as OpenZFS's own config/zfs-meta.m4 looks for.
 * @param where path used in messages
 * @throws usage E_ZFS_META
 */
export function parseZfsMeta(text: string, where: string): ZfsMeta {
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^([\w-]+):\s*(.*?)\s*$/.exec(line)
    if (match?.[1] !== undefined && match[2] !== undefined) values.set(match[1], match[2])
  }
  const wrong = (what: string): FwbuildError =>
    usageError('E_ZFS_META', `${where} ${what}`, {
      hint: 'META lies at the top of an OpenZFS source tree of version 0.8 or newer',
    })
  const textOf = (key: string): string => {
    const value = values.get(key)
    if (value === undefined || value === '') throw wrong(`has no line '${key}: …'`)
    return value
  }
  const series = (key: string): KernelSeries => {
    const value = textOf(key)
    const found = parseSeries(value)
    if (found === undefined) throw wrong(`says '${key}: ${value}', which is no kernel version`)
    return found
  }
  if (textOf('Name') !== 'zfs') throw wrong(`is of '${textOf('Name')}', not of zfs`)
  const version = textOf('Version')
  // It becomes a directory's name and part of a package's version.
  if (!/^\d[\w.+~]*$/.test(version)) throw wrong(`has a version '${version}' that no package can have`)
  return {
    version,
    release: values.get('Release') ?? '1',
    linuxMinimum: series('Linux-Minimum'),
    linuxMaximum: series('Linux-Maximum'),
  }
}

/** Whether a ZFS version is made for a kernel, by series as OpenZFS's configure compares them. */
export const fitsKernel = (
  { linuxMinimum, linuxMaximum }: Pick<ZfsMeta, 'linuxMinimum' | 'linuxMaximum'>,
  kernel: KernelSeries,
): boolean => compareSeries(linuxMinimum, kernel) <= 0 && compareSeries(kernel, linuxMaximum) <= 0

/** The upstream part of a package version: `2.3.9` of `2.3.9-0+deb13u1` and of `1:2.3.9-1`. */
export const upstreamVersion = (version: string): string =>
  version.replace(/^\d+:/, '').replace(/-[^-]*$/, '')

/** Series of a ZFS version, `2.3` of `2.3.9`: what OpenZFS keeps compatible with itself. */
export const zfsSeries = (version: string): string =>
  upstreamVersion(version).split('.').slice(0, 2).join('.')

/**
 * The order in which candidates are tried: the host's own version first (its commands then speak to modules
 * of the same version), then that version's series, then all others as they came, suite by suite.
 * @param userland version of the host's commands, where it has any
 */
export function orderCandidates<C extends ZfsCandidate>(
  candidates: readonly C[],
  userland: string | undefined,
): readonly C[] {
  if (userland === undefined) return candidates
  const upstream = upstreamVersion(userland)
  const rank = ({ version }: ZfsCandidate): number => {
    if (version === userland) return 0
    if (upstreamVersion(version) === upstream) return 1
    return zfsSeries(version) === zfsSeries(upstream) ? 2 : 3
  }
  return [...candidates].sort((a, b) => rank(a) - rank(b))
}

/** The packages of a version the user named: `2.3.9`, or a package's `2.3.9-0+deb13u1`. */
export const matchingCandidates = <C extends ZfsCandidate>(
  candidates: readonly C[],
  wanted: string,
): readonly C[] => {
  const exact = candidates.filter(({ version }) => version === wanted)
  return exact.length > 0 ? exact : candidates.filter(({ version }) => upstreamVersion(version) === wanted)
}

/** Formats as `4.18–7.2`. */
export const rangeText = ({ linuxMinimum, linuxMaximum }: ZfsMeta): string =>
  `${seriesText(linuxMinimum)}–${seriesText(linuxMaximum)}`

/**
 * No version of ZFS is made for the kernel.
 * @param kernel its version, e.g. `7.3.4`
 * @param ranges all versions that were looked at
 * @param named whether the user asked for this very version or tree
 */
export function zfsKernelError(kernel: string, ranges: readonly ZfsRange[], named: boolean): FwbuildError {
  const lines = ranges.map(
    ({ version, origin, meta }) => `  zfs ${version} (${origin}): kernels ${rangeText(meta)}`,
  )
  const newest = ranges
    .map(({ meta }) => meta.linuxMaximum)
    .reduce<KernelSeries | undefined>(
      (best, next) => (best === undefined || compareSeries(next, best) > 0 ? next : best),
      undefined,
    )
  const others = named ? '--zfs=VERSION or --zfs=PATH for another ZFS' : '--zfs=PATH for a newer ZFS source'
  const source = newest === undefined ? 'SERIES' : seriesText(newest)
  const make = named ? usageError : buildError
  return make('E_ZFS_KERNEL', [`no ZFS here is made for kernel ${kernel}:`, ...lines].join('\n'), {
    hint: [
      others,
      `--source debian:SERIES for a kernel that ZFS knows (up to ${source})`,
      '--zfs=off to build the kernel without ZFS; pools are then out of reach while it runs',
    ].join('\n'),
  })
}

/** The user named a version that no package has. */
export function zfsVersionError(wanted: string, candidates: readonly ZfsCandidate[]): FwbuildError {
  const known = candidates.map(({ version, suite }) => `  ${version} (${suite})`)
  return usageError(
    'E_ZFS_VERSION',
    [
      known.length === 0
        ? 'no suite in reach has a package zfs-dkms'
        : `no package zfs-dkms has the version ${wanted}; there are`,
      ...known,
    ].join('\n'),
    { hint: 'name one of these with --zfs=VERSION, a source tree or tarball with --zfs=PATH, or --zfs=off' },
  )
}
