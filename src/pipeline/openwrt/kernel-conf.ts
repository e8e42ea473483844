import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { configLine, parseDotConfig } from '../../core/kconfig/dot-config.ts'
import { removeTree } from '../../effects/files.ts'
import type { KernelBuild } from './kernel-tree.ts'
import { writeForBuild } from './tree-files.ts'

/** Ignored by git in every tree, and swept with the tree's other temporary files. */
const scratchFolder = 'tmp/fwbuild-kconfig'

/** A configuration file apart from the build's own, which no later make reads. */
export interface ConfigDraft extends AsyncDisposable {
  /** Absolute, on this machine. */
  readonly path: string
  readonly read: () => Promise<ReadonlyMap<string, string>>
  /** Words of a make run on this file. */
  readonly makeArguments: (target: string) => readonly string[]
}

/** Writes a .config beside the build's own, for conf and menuconfig of the kernel tree to work on. */
export async function draftConfig(
  build: KernelBuild,
  kernelDir: string,
  values: ReadonlyMap<string, string>,
): Promise<ConfigDraft> {
  const folder = join(build.tree, scratchFolder)
  await removeTree(folder)
  const text = [...values].map(([symbol, value]) => configLine(symbol, value)).join('\n')
  await writeForBuild(build, `${scratchFolder}/.config`, `${text}\n`)
  const path = join(folder, '.config')
  return {
    path,
    read: async () => parseDotConfig(await readFile(path, 'utf8'), relative(build.tree, path)).values,
    makeArguments: (target) => [
      'make',
      '-C',
      build.session.inside(kernelDir),
      'ARCH=x86',
      `KCONFIG_CONFIG=${build.session.inside(path)}`,
      target,
    ],
    [Symbol.asyncDispose]: () => removeTree(folder),
  }
}

/**
 * Has the kernel's own conf complete a configuration.
 * @returns its values, or undefined where conf can't be built or fails there; its output went to `tell`
 */
export async function completeByConf(
  build: KernelBuild,
  draft: ConfigDraft,
  tell: (line: string) => void,
): Promise<ReadonlyMap<string, string> | undefined> {
  const { exitCode } = await build.session.exec(draft.makeArguments('olddefconfig'), {
    cwd: build.tree,
    signal: build.signal,
    onLine: tell,
  })
  return exitCode === 0 && existsSync(draft.path) ? await draft.read() : undefined
}
