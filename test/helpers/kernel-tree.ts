import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { kernelEnvironment } from '../../src/effects/kconfig-tree.ts'

/** An unpacked kernel source with its own conf compiled. */
export interface KernelTree {
  readonly directory: string
  readonly env: NodeJS.ProcessEnv
}

/**
 * Tests against a real kernel tree, which is too large to fetch on every run: named by
 * FWBUILD_KERNEL_TREE (several with `:`), skipped with that reason where it is not set.
 */
export function testWithKernelTrees(
  title: string,
  body: (t: ExecutionContext, tree: KernelTree) => void | Promise<void>,
): void {
  const directories = (process.env['FWBUILD_KERNEL_TREE'] ?? '').split(':').filter((name) => name !== '')
  if (directories.length === 0) test.skip(`${title} (needs FWBUILD_KERNEL_TREE)`, () => {})
  for (const name of directories) {
    const directory = resolve(name)
    test.serial(`${title} (${name.slice(name.lastIndexOf('/') + 1)})`, async (t) => {
      t.timeout(6 * 3600_000)
      compileConf(directory)
      await body(t, { directory, env: kernelEnvironment(directory) })
    })
  }
}

function compileConf(directory: string): void {
  if (existsSync(`${directory}/scripts/kconfig/conf`)) return
  // The cheapest target that compiles conf; the configuration it writes is thrown away.
  const result = spawnSync(process.env['MAKE'] ?? 'make', ['-s', 'allnoconfig'], {
    cwd: directory,
    env: { ...process.env, KCONFIG_CONFIG: '/dev/null', KCONFIG_OVERWRITECONFIG: '1' },
    encoding: 'utf8',
  })
  if (!existsSync(`${directory}/scripts/kconfig/conf`))
    throw new Error(`no conf in ${directory}: ${result.stderr}`)
}

/** Runs the tree's own conf on a configuration file. */
export function runConf(
  tree: KernelTree,
  mode: string,
  config: string,
  env: Readonly<Record<string, string>> = {},
): void {
  const result = spawnSync(`${tree.directory}/scripts/kconfig/conf`, [mode, 'Kconfig'], {
    cwd: tree.directory,
    env: { ...tree.env, KCONFIG_CONFIG: config, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  })
  if (result.status !== 0)
    throw new Error(`conf ${mode} ended ${result.status}: ${result.stderr.slice(-2000)}`)
}
