import { maxConfigBytes } from '../../core/kconfig/config-line.ts'
import { readTextBeneath } from '../../effects/beneath/read.ts'
import { writeBeneath } from '../../effects/beneath/write.ts'
import type { BuildUser } from '../../effects/engine.ts'

/**
 * Writes a file of the work tree so that the build user owns it, with the folders that are missing.
 * @throws build E_UNSAFE_PATH where a link leads out of the tree
 */
export async function writeForBuild(
  { tree, user }: { readonly tree: string; readonly user: BuildUser },
  path: string,
  text: string,
): Promise<void> {
  writeBeneath(tree, path, text, { owner: user })
}

/**
 * A configuration or makefile of the work tree; undefined where it is absent.
 * @throws build E_UNSAFE_PATH | E_FILE_TOO_LARGE
 */
export const readTreeText = (tree: string, path: string): string | undefined =>
  readTextBeneath(tree, path, maxConfigBytes)
