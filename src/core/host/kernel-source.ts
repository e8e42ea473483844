import { buildError } from '../errors.ts'
import type { AptPackage } from './apt-output.ts'
import { compareDebVersions } from './deb-version.ts'

const sourcePackage = /^linux-source-(\d+)\.(\d+)$/

/** Numbers of a series, for ordering: `6.12` is newer than `6.1`. */
function seriesOf(name: string): readonly [number, number] | undefined {
  const match = sourcePackage.exec(name)
  return match === null ? undefined : [Number(match[1]), Number(match[2])]
}

const newerFirst = (a: AptPackage, b: AptPackage): number => {
  const [left, right] = [seriesOf(a.name) ?? [0, 0], seriesOf(b.name) ?? [0, 0]]
  return right[0] - left[0] || right[1] - left[1] || compareDebVersions(b.version, a.version)
}

/** Those of a list of package names that hold a kernel's source (not its real-time or other variants). */
export const kernelSourcePackages = (names: readonly string[]): readonly string[] =>
  names.filter((name) => sourcePackage.test(name))

/**
 * The source packages that answer a wish, best first: the newest series that fits, its newest version first. More than one, because a pool may have lost what its index still names.
 * @param offered every version of every kernel source package
 * @param wish.series `6.12`; `newest` of all suites; undefined: the newest of the host's own suite
 * @throws build error E_KERNEL_SOURCE that lists what there is
 */
export function chooseKernelSource(
  offered: readonly AptPackage[],
  wish: { readonly series: string | undefined; readonly hostSuite: string },
): readonly AptPackage[] {
  const { series, hostSuite } = wish
  const isOwn = ({ suite }: AptPackage): boolean =>
    suite === hostSuite || suite === `${hostSuite}-security` || suite === `${hostSuite}-updates`
  const fits = ({ name, suite }: AptPackage): boolean => {
    if (series === 'newest') return true
    return series === undefined ? isOwn({ name, suite, version: '' }) : name === `linux-source-${series}`
  }
  const fitting = offered.filter(fits).toSorted(newerFirst)
  const best = fitting[0]
  if (best !== undefined) return fitting.filter(({ name }) => name === best.name)
  const known = offered
    .toSorted(newerFirst)
    .map(({ name, suite }) => `${name.replace('linux-source-', '')} (${suite})`)
  throw buildError(
    'E_KERNEL_SOURCE',
    series === undefined || series === 'newest'
      ? `Debian ${hostSuite} has no kernel source package`
      : `no suite of Debian that was looked at has the source of Linux ${series}`,
    { hint: `there are: ${[...new Set(known)].join(', ') || 'none'}` },
  )
}
