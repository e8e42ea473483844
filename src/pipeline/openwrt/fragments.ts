import { parseFragment } from '../../core/kconfig/fragment.ts'
import { mergeFragments, type FragmentLayer, type MergedFragments } from '../../core/kconfig/merge.ts'
import { selectForKernel } from '../../core/kconfig/select.ts'
import { loadFragmentFiles, type LoadedFragment } from '../kernel/load-fragments.ts'
import type { OpenwrtContext } from './context.ts'

/** Kernel fragments of a build, lowest layer first: hypervisors, shares, then the user's. */
export const loadFragments = ({ spec, paths }: OpenwrtContext): Promise<readonly LoadedFragment[]> =>
  loadFragmentFiles(
    paths.project,
    [
      ...[...spec.hypervisors].sort().map((name) => `hv/${name}`),
      ...[...spec.shares].sort().map((name) => `share/${name}`),
    ],
    spec.fragments,
  )

/**
 * The layered kernel configuration for one kernel series; `KERNEL_*` symbols beat it (see pci-hyperv.ts).
 * @param exists decides `only-if` groups; without it they stay, as optional
 */
export function mergeForKernel(
  fragments: readonly LoadedFragment[],
  kernel: string,
  exists?: (symbol: string) => boolean,
): MergedFragments {
  const layers: FragmentLayer[] = fragments.map(({ text, file, own }) => ({
    assignments: selectForKernel(parseFragment(text, file), kernel, exists).assignments,
    literal: !own,
  }))
  return mergeFragments(layers)
}

/** Every symbol that an `only-if` line of the fragments asks for, sorted. */
export function conditionsOf(fragments: readonly LoadedFragment[]): readonly string[] {
  const groups = fragments.flatMap(({ text, file }) => parseFragment(text, file).groups)
  return [...new Set(groups.flatMap((group) => group.onlyIf))].sort()
}
