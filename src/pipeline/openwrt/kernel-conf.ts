import { join } from 'node:path'
import { configLine, parseDotConfig } from '../../core/kconfig/dot-config.ts'
import { removeBeneath } from '../../effects/beneath/remove.ts'
import type { KernelBuild } from './kernel-tree.ts'
import { readTreeText, writeForBuild } from './tree-files.ts'

/** Ignored by git in every tree, and swept with the tree's other temporary files. */
const scratchFolder = 'tmp/fwbuild-kconfig'
const draftFile = `${scratchFolder}/.config`

/** A configuration file apart from the build's own, which no later make reads. */
export interface ConfigDraft extends AsyncDisposable {
  /** Its values as they are now; undefined where the file is gone. */
  readonly read: () => ReadonlyMap<string, string> | undefined
  /** Words of a make run on this file. */
  readonly makeArguments: (target: string) => readonly string[]
}

/** Writes a .config beside the build's own, for conf and menuconfig of the kernel tree to work on. */
export async function draftConfig(
  build: KernelBuild,
  kernelDir: string,
  values: ReadonlyMap<string, string>,
): Promise<ConfigDraft> {
  await removeBeneath(build.tree, scratchFolder)
  const text = [...values].map(([symbol, value]) => configLine(symbol, value)).join('\n')
  await writeForBuild(build, draftFile, `${text}\n`)
  return {
    read: () => {
      const saved = readTreeText(build.tree, draftFile)
      return saved === undefined ? undefined : parseDotConfig(saved, draftFile).values
    },
    makeArguments: (target) => [
      'make',
      '-C',
      build.session.inside(kernelDir),
      'ARCH=x86',
      `KCONFIG_CONFIG=${build.session.inside(join(build.tree, draftFile))}`,
      target,
    ],
    [Symbol.asyncDispose]: () => removeBeneath(build.tree, scratchFolder),
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
  return exitCode === 0 ? draft.read() : undefined
}
