import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
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
 * @throws build error E_KERNEL_TREE
 */
export async function findKernelTree(tree: string): Promise<string> {
  const found: { readonly path: string; readonly preparedMs: number }[] = []
  const buildDir = join(tree, 'build_dir')
  for (const target of await namesIn(buildDir, 'target-')) {
    const linux = join(buildDir, target, 'linux-x86_64')
    for (const name of await namesIn(linux, 'linux-')) {
      const path = join(linux, name)
      if (!/^linux-\d/.test(name) || !existsSync(join(path, 'Kconfig'))) continue
      const stamps = await namesIn(path, '.prepared')
      const times = await Promise.all(stamps.map(async (stamp) => (await stat(join(path, stamp))).mtimeMs))
      if (times.length > 0) found.push({ path, preparedMs: Math.max(...times) })
    }
  }
  found.sort((a, b) => b.preparedMs - a.preparedMs)
  const [newest] = found
  if (newest === undefined) {
    throw buildError('E_KERNEL_TREE', `no prepared kernel tree below ${buildDir}`, {
      hint: 'build it first, for example with --until kernel-config',
    })
  }
  return newest.path
}

async function namesIn(folder: string, prefix: string): Promise<readonly string[]> {
  if (!existsSync(folder)) return []
  return (await readdir(folder)).filter((name) => name.startsWith(prefix)).sort()
}
