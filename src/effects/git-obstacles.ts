import { pacer } from './pace.ts'
import { listBeneath } from './beneath/read.ts'
import { removeBeneath } from './beneath/remove.ts'

/** Files that git opens by their name wherever it comes through, and waits for ever where one is a FIFO. */
const openedByName: ReadonlySet<string> = new Set(['.gitattributes', '.gitignore', '.gitmodules'])

/** What OpenWrt's trees ignore, so that git never enters it; hundreds of thousands of files. */
const notEntered: ReadonlySet<string> = new Set([
  'bin',
  'build_dir',
  'dl',
  'feeds',
  'logs',
  'node_modules',
  'staging_dir',
  'tmp',
])

/** Deeper folders than any real tree has are left to git, which has limits of its own. */
const maxDepth = 100

/**
 * Removes what a build may have left in a work tree to stop or mislead git: files that it reads by name and that
 * are none, and repositories inside, which it would neither look into nor clean away.
 */
export async function removeObstacles(tree: string, signal: AbortSignal): Promise<void> {
  const pause = pacer(signal)
  const visit = async (folder: string, depth: number): Promise<void> => {
    await pause()
    for (const { name, kind } of listBeneath(tree, folder)) {
      const path = folder === '' ? name : `${folder}/${name}`
      const isObstacle = (openedByName.has(name) && kind !== 'file') || (name === '.git' && folder !== '')
      if (isObstacle) await removeBeneath(tree, path, signal)
      else if (
        kind === 'folder' &&
        name !== '.git' &&
        depth < maxDepth &&
        !(depth === 0 && notEntered.has(name))
      )
        await visit(path, depth + 1)
    }
  }
  await visit('', 0)
}
