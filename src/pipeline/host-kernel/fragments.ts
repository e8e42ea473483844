import { parseFragment } from '../../core/kconfig/fragment.ts'
import { mergeFragments, type MergedFragments } from '../../core/kconfig/merge.ts'
import { selectForKernel } from '../../core/kconfig/select.ts'
import type { Assignment } from '../../core/kconfig/types.ts'
import type { HostKernelSpec } from '../../core/spec/host-kernel-spec.ts'
import { loadFragmentFiles, type LoadedFragment } from '../kernel/load-fragments.ts'
import type { HostKernelContext } from './context.ts'

/** Our fragments for a configuration, lowest layer first. */
function ownFragments({ config }: HostKernelSpec, zfs: boolean): readonly string[] {
  const withZfs = zfs ? ['host/zfs'] : []
  if (config.kind === 'micro') return ['host/micro', 'host/serial']
  if (config.kind === 'small') return ['host/base', 'host/serial', 'host/vfio', 'hv/kvm', ...withZfs]
  return ['host/build', 'host/vfio', ...withZfs]
}

/** @throws usage E_FRAGMENT_MISSING */
export const loadHostFragments = (
  { spec, paths }: HostKernelContext,
  zfs: boolean,
): Promise<readonly LoadedFragment[]> =>
  loadFragmentFiles(paths.project, ownFragments(spec, zfs), spec.fragments)

/** The layers merged for this kernel, with the release's suffix on top. */
export function mergeHostFragments(
  fragments: readonly LoadedFragment[],
  kernel: string,
  localversion: string,
): MergedFragments {
  const layers = fragments.map(({ text, file, own }) => ({
    assignments: selectForKernel(parseFragment(text, file), kernel).assignments,
    literal: !own,
  }))
  const suffix: readonly Assignment[] = [
    ['LOCALVERSION', `"${localversion}"`],
    ['LOCALVERSION_AUTO', 'n'],
  ].map(([symbol = '', value = '']) => ({
    symbol,
    value,
    need: 'required',
    origin: { file: '--localversion', line: 1 },
  }))
  return mergeFragments([...layers, { assignments: suffix, literal: true }])
}
