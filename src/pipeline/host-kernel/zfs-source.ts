import { infraError } from '../../core/errors.ts'
import {
  fitsKernel,
  matchingCandidates,
  orderCandidates,
  upstreamVersion,
  zfsKernelError,
  zfsVersionError,
  type ZfsMeta,
  type ZfsRange,
} from '../../core/host/zfs-meta.ts'
import { parseSeries } from '../../core/kconfig/series.ts'
import type { KernelSeries } from '../../core/kconfig/types.ts'
import type { AptPackage, DebianApt } from './debian-apt.ts'
import { unpackZfsPackage, unpackZfsPath, zfsTree, type UnpackedZfs, type ZfsPlace } from './zfs-unpack.ts'

/** Binary package with the complete source and a ready `configure`, in Debian's and Ubuntu's archives. */
export const zfsPackage = 'zfs-dkms'

/** What `--zfs` asks for. */
export type ZfsWish = { readonly kind: 'any' } | { readonly kind: 'version' | 'path'; readonly value: string }

export interface ZfsRequest {
  readonly wish: ZfsWish
  /** Version of the kernel, e.g. `6.1.192`. */
  readonly kernel: string
  /** Version of the host's ZFS commands, where it has any. */
  readonly userland?: string
  readonly note: (text: string, level?: 'info' | 'warn') => void
}

export interface ZfsSource {
  readonly meta: ZfsMeta
  /** Package version, `2.3.9-0+deb13u1`; of a tree or tarball, what its META says. */
  readonly version: string
  /** For people: where it is from. */
  readonly origin: string
  /** Suite of the package; undefined for a tree or tarball. */
  readonly suite: string | undefined
  /** The unpacked tree. */
  readonly dir: string
}

/**
 * Finds a ZFS that is made for the kernel and unpacks it afresh; what lay at that place is replaced last.
 * @throws E_ZFS_KERNEL with the kernel range of each version when none fits; usage E_ZFS_VERSION,
 *   E_ZFS_PATH, E_ZFS_META, E_ZFS_CONFIGURE, E_ZFS_TARBALL; infra errors of APT
 */
export async function fetchZfs(apt: DebianApt, request: ZfsRequest, place: ZfsPlace): Promise<ZfsSource> {
  const { wish } = request
  const kernel = parseSeries(request.kernel)
  if (kernel === undefined) throw new TypeError(`${request.kernel} is no kernel version`)
  return wish.kind === 'path'
    ? fetchPath(wish.value, kernel, request, place)
    : fetchPackage(apt, wish, kernel, request, place)
}

async function fetchPath(
  path: string,
  kernel: KernelSeries,
  request: ZfsRequest,
  place: ZfsPlace,
): Promise<ZfsSource> {
  const unpacked = await unpackZfsPath(path, place)
  const { meta } = unpacked
  const version = `${meta.version}-${meta.release}`
  if (!fitsKernel(meta, kernel)) {
    await unpacked.drop()
    throw zfsKernelError(request.kernel, [{ version: meta.version, origin: path, meta }], true)
  }
  await unpacked.keep()
  return { meta, version, origin: path, suite: undefined, dir: zfsTree(place.root) }
}

async function fetchPackage(
  apt: DebianApt,
  wish: Exclude<ZfsWish, { kind: 'path' }>,
  kernel: KernelSeries,
  request: ZfsRequest,
  place: ZfsPlace,
): Promise<ZfsSource> {
  await apt.update()
  const all = await apt.versions(zfsPackage)
  const named = wish.kind === 'version'
  const wanted = named ? matchingCandidates(all, wish.value) : orderCandidates(all, request.userland)
  if (wanted.length === 0) throw zfsVersionError(named ? wish.value : 'any', all)
  const ranges: ZfsRange[] = []
  for (const candidate of wanted) {
    // Another package of the same upstream version has the same source, and so the same kernel range.
    const upstream = upstreamVersion(candidate.version)
    if (ranges.some(({ version }) => upstreamVersion(version) === upstream)) continue
    const unpacked = await unpackIfThere(apt, candidate, request, place)
    if (unpacked === undefined) continue
    const { meta } = unpacked
    if (fitsKernel(meta, kernel)) {
      await unpacked.keep()
      const origin = `${zfsPackage} ${candidate.version} (${candidate.suite})`
      return { meta, version: candidate.version, origin, suite: candidate.suite, dir: zfsTree(place.root) }
    }
    await unpacked.drop()
    ranges.push({ version: candidate.version, origin: candidate.suite, meta })
  }
  if (ranges.length === 0) {
    throw infraError('E_APT_GONE', `the archive names ${zfsPackage} but has none of its versions`, {
      hint: 'try again later, name another mirror, or give a source tree or tarball with --zfs=PATH',
      retryable: true,
    })
  }
  throw zfsKernelError(request.kernel, ranges, named)
}

/** Undefined where the pool no longer has what the index names: the next version may do. */
async function unpackIfThere(
  apt: DebianApt,
  candidate: AptPackage,
  { note }: ZfsRequest,
  place: ZfsPlace,
): Promise<UnpackedZfs | undefined> {
  let deb: string
  try {
    deb = await apt.download(candidate)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'E_APT_GONE') throw error
    note(`${zfsPackage} ${candidate.version} is in the index of ${candidate.suite}, but gone`, 'warn')
    return undefined
  }
  return unpackZfsPackage(deb, place)
}
