import { createHash, type Hash } from 'node:crypto'
import { join } from 'node:path'
import { cancelledError } from '../../core/errors.ts'
import type { BuildArea } from '../../effects/beneath/area.ts'

/** Directories of headers a module is compiled with; those of the build directory hold the configuration. */
const headerFolders = ['include', 'arch/x86/include'] as const

/** Date and number of the build: only the kernel's own version text is made of them. */
const counted: ReadonlySet<string> = new Set(['generated/compile.h', 'generated/utsversion.h'])

export interface KernelTrees {
  /** Holds both. */
  readonly area: BuildArea
  readonly kernelSrcDir: string
  readonly kernelObjDir: string
}

/**
 * Digest of all that a module outside the tree sees of a kernel: headers, configuration, exported symbols,
 * release. Equal digests give equal modules, whatever was changed in the kernel's own code.
 */
export async function kernelInterface(trees: KernelTrees, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  const { area, kernelSrcDir, kernelObjDir } = trees
  for (const tree of [kernelSrcDir, kernelObjDir]) {
    for (const folder of headerFolders) {
      if (signal.aborted) throw cancelledError()
      addHeaders(hash, area, join(tree, folder), folder)
    }
  }
  for (const name of ['Module.symvers', 'include/config/kernel.release']) {
    hash.update(`${name}\0`)
    hash.update(area.requireText(join(kernelObjDir, name)))
  }
  return hash.digest('hex')
}

function addHeaders(hash: Hash, area: BuildArea, path: string, folder: string): void {
  for (const name of area.filesBelow(path)) {
    if (!name.endsWith('.h') || counted.has(name)) continue
    hash.update(`${folder}/${name}\0`)
    hash.update(area.read(join(path, name)) ?? '')
  }
}
