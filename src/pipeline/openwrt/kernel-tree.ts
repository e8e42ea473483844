import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import type { KconfigTree } from '../../core/kconfig/tree/model.ts'
import { readWithBatches } from '../../core/kconfig/tree/probe-book.ts'
import type { BuildUser, Session } from '../../effects/engine.ts'
import { kernelEnvironment, readKernelTree } from '../../effects/kconfig-tree.ts'

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

/**
 * Reads the Kconfig files of a kernel, with the answers of the compiler in the buildroot (this machine may
 * have none).
 */
export async function readKernelInside(build: KernelBuild, kernelDir: string): Promise<KconfigTree> {
  const ask = (commands: readonly string[], env?: Readonly<Record<string, string>>) =>
    askInside(build, kernelDir, commands, env)
  const [cc = '', rustc = ''] = await ask(['gcc --version', 'rustc --version'])
  const versions = { CC_VERSION_TEXT: firstLine(cc), RUSTC_VERSION_TEXT: firstLine(rustc) }
  const { PATH: _path, HOME: _home, ...env } = kernelEnvironment(kernelDir, { env: versions })
  return readWithBatches(
    (shell) => readKernelTree(kernelDir, { env: versions, shell }),
    (commands) => ask(commands, env as Readonly<Record<string, string>>),
  )
}

const firstLine = (text: string): string => text.split('\n', 1)[0]?.replaceAll('#', '') ?? ''

const mark = '=== answer ==='

/** Standard output of each of several shell commands, run one after the other in the kernel's folder. */
async function askInside(
  { session, signal }: KernelBuild,
  cwd: string,
  commands: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const script = `for command do echo; echo '${mark}'; /bin/sh -c "$command" 2>/dev/null; done; exit 0`
  const outputs: string[][] = []
  const onLine = (line: string, stream: 'out' | 'err'): void => {
    if (stream === 'err') return
    if (line === mark) outputs.push([])
    else outputs.at(-1)?.push(line)
  }
  await session.exec(['/bin/sh', '-c', script, 'sh', ...commands], { cwd, env, signal, onLine })
  return outputs.map((lines) => lines.join('\n'))
}
