import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { usageError } from '../../core/errors.ts'
import { parseFragment } from '../../core/kconfig/fragment.ts'
import { mergeFragments, type MergedFragments } from '../../core/kconfig/merge.ts'
import { selectForKernel } from '../../core/kconfig/select.ts'
import type { Assignment } from '../../core/kconfig/types.ts'
import type { HostKernelSpec } from '../../core/spec/host-kernel-spec.ts'
import type { HostKernelContext } from './context.ts'

export interface HostFragment {
  /** As named to the user. */
  readonly file: string
  readonly text: string
  readonly sha256: string
  readonly own: boolean
}

/** Our fragments for a configuration, lowest layer first. */
function ownFragments({ config }: HostKernelSpec, zfs: boolean): readonly string[] {
  const withZfs = zfs ? ['host/zfs'] : []
  if (config.kind === 'micro') return ['host/micro', 'host/serial']
  if (config.kind === 'small') return ['host/base', 'host/serial', 'host/vfio', 'hv/kvm', ...withZfs]
  return ['host/build', 'host/vfio', ...withZfs]
}

/** @throws usage E_FRAGMENT_MISSING */
export async function loadHostFragments(
  context: HostKernelContext,
  zfs: boolean,
): Promise<readonly HostFragment[]> {
  const { spec, paths } = context
  const own = ownFragments(spec, zfs).map((name) => ({
    file: `kconfig-fragments/${name}.config`,
    path: join(paths.project, 'kconfig-fragments', `${name}.config`),
    own: true,
  }))
  const given = spec.fragments.map((path) => ({ file: path, path, own: false }))
  return Promise.all(
    [...own, ...given].map(async ({ file, path, own: isOwn }) => {
      const text = await readText(path)
      return { file, text, own: isOwn, sha256: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw usageError('E_FRAGMENT_MISSING', `the fragment ${path} cannot be read`, {
      cause,
      hint: 'check --fragment',
    })
  }
}

/** The layers merged for this kernel, with the release's suffix on top. */
export function mergeHostFragments(
  fragments: readonly HostFragment[],
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
