import { lchown } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { atomicWrite } from '../../effects/files.ts'
import type { BuildUser } from '../../effects/engine.ts'

/** Writes a file of the work tree so that the build user owns it. */
export async function writeForBuild(
  context: { readonly tree: string; readonly user: BuildUser },
  path: string,
  text: string,
): Promise<void> {
  const file = join(context.tree, path)
  await atomicWrite(file, text)
  if (process.getuid?.() !== 0) return
  await lchown(file, context.user.uid, context.user.gid)
  if (dirname(path) !== '.') await lchown(dirname(file), context.user.uid, context.user.gid)
}
