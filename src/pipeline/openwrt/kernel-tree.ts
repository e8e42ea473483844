import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import { isPathWord } from '../../core/path-word.ts'
import { isFileBeneath, listBeneath, statBeneath } from '../../effects/beneath/read.ts'
import type { BuildUser, Session } from '../../effects/engine.ts'

/** What the kernel work needs of a build: its tree and the container in which it is compiled. */
export interface KernelBuild {
  /** OpenWrt's tree on this machine. */
  readonly tree: string
  readonly session: Session
  readonly user: BuildUser
  readonly signal: AbortSignal
}

/**
 * The unpacked and patched kernel: build_dir/target-…/linux-x86_64/linux-VERSION.
 * Where an older version was left behind, the one prepared last.
 * @returns its path below the tree
 * @throws build errors E_KERNEL_TREE | E_UNSAFE_PATH
 */
export function findKernelTree(tree: string): string {
  const found: { readonly path: string; readonly preparedMs: number }[] = []
  for (const target of foldersIn(tree, 'build_dir', /^target-/)) {
    for (const path of foldersIn(tree, `${target}/linux-x86_64`, /^linux-\d/)) {
      if (!isFileBeneath(tree, `${path}/Kconfig`)) continue
      const stamps = listBeneath(tree, path).filter(({ name }) => name.startsWith('.prepared'))
      const times = stamps.map(({ name }) => statBeneath(tree, `${path}/${name}`)?.mtimeMs ?? 0)
      if (times.length > 0) found.push({ path, preparedMs: Math.max(...times) })
    }
  }
  found.sort((a, b) => b.preparedMs - a.preparedMs)
  const [newest] = found
  if (newest === undefined) {
    throw buildError('E_KERNEL_TREE', `no prepared kernel tree below ${join(tree, 'build_dir')}`, {
      hint: 'build it first, for example with --until kernel-config',
    })
  }
  return newest.path
}

const foldersIn = (tree: string, folder: string, wanted: RegExp): readonly string[] =>
  listBeneath(tree, folder)
    .filter(({ name, kind }) => kind === 'folder' && wanted.test(name) && isPathWord(name))
    .map(({ name }) => `${folder}/${name}`)
