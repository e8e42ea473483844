import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { usageError } from '../../core/errors.ts'
import { parseFragment } from '../../core/kconfig/fragment.ts'
import { mergeFragments, type FragmentLayer, type MergedFragments } from '../../core/kconfig/merge.ts'
import { selectForKernel } from '../../core/kconfig/select.ts'
import type { OpenwrtContext } from './context.ts'

export interface LoadedFragment {
  /** As named to the user. */
  readonly file: string
  readonly text: string
  readonly sha256: string
  readonly own: boolean
}

/** Kernel fragments of a build, lowest layer first: hypervisors, shares, then the user's. */
export async function loadFragments(context: OpenwrtContext): Promise<readonly LoadedFragment[]> {
  const { spec, paths } = context
  const own = [
    ...[...spec.hypervisors].sort().map((name) => `hv/${name}.config`),
    ...[...spec.shares].sort().map((name) => `share/${name}.config`),
  ].map((name) => ({
    file: `kconfig-fragments/${name}`,
    path: join(paths.project, 'kconfig-fragments', name),
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
