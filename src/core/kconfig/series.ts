import type { FragmentGroup, KernelSeries } from './types.ts'

/** Reads `6.12`, `6.12.103`, `6.12.103-acs` or `v6.18-rc1`; undefined when it is no kernel version. */
export function parseSeries(text: string): KernelSeries | undefined {
  const match = /^v?(\d{1,3})\.(\d{1,4})(?![\d])/.exec(text)
  if (match === null) return undefined
  return { major: Number(match[1]), minor: Number(match[2]) }
}

/** Negative when `a` is older than `b`. */
export const compareSeries = (a: KernelSeries, b: KernelSeries): number =>
  a.major - b.major || a.minor - b.minor

/** Formats as `6.12`. */
export const seriesText = (series: KernelSeries): string => `${series.major}.${series.minor}`

/** Why a group is not meant for this kernel; undefined when it is. */
export function outsideSeries(
  group: Pick<FragmentGroup, 'since' | 'until'>,
  kernel: KernelSeries,
): string | undefined {
  if (group.since !== undefined && compareSeries(kernel, group.since) < 0)
    return `exists since kernel ${seriesText(group.since)}, this is ${seriesText(kernel)}`
  if (group.until !== undefined && compareSeries(kernel, group.until) > 0)
    return `existed until kernel ${seriesText(group.until)}, this is ${seriesText(kernel)}`
  return undefined
}
