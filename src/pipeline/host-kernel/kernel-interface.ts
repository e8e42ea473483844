import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cancelledError } from '../../core/errors.ts'

/** Directories of headers a module is compiled with; those of the build directory hold the configuration. */
const headerFolders = ['include', 'arch/x86/include'] as const

/** Date and number of the build: only the kernel's own version text is made of them. */
const counted: ReadonlySet<string> = new Set(['generated/compile.h', 'generated/utsversion.h'])

export interface KernelTrees {
  readonly kernelSrcDir: string
  readonly kernelObjDir: string
}

/**
 * Digest of all that a module outside the tree sees of a kernel: headers, configuration, exported symbols,
 * release. Equal digests give equal modules, whatever was changed in the kernel's own code.
 */
export async function kernelInterface(trees: KernelTrees, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  const { kernelSrcDir, kernelObjDir } = trees
  const folders = [kernelSrcDir, kernelObjDir].flatMap((tree) =>
    headerFolders.map((folder) => [tree, folder] as const),
  )
  for (const [tree, folder] of folders) {
    const names = await readdir(join(tree, folder), { recursive: true }).catch((): string[] => [])
    for (const name of names.sort()) {
      if (!name.endsWith('.h') || counted.has(name)) continue
      if (signal.aborted) throw cancelledError()
      hash.update(`${folder}/${name}\0`)
      hash.update(await readFile(join(tree, folder, name)))
    }
  }
  for (const name of ['Module.symvers', 'include/config/kernel.release']) {
    hash.update(`${name}\0`)
    hash.update(await readFile(join(kernelObjDir, name)))
  }
  return hash.digest('hex')
}
