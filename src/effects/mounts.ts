import { lchown, mkdir, realpath } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { usageError } from '../core/errors.ts'
import { takeBackBeneath } from './beneath/give.ts'
import type { BuildUser, Mount, SessionSpec } from './engine.ts'

/**
 * The path by which a file of this machine is known behind the mounts.
 * @throws TypeError for a path below none of them: that is a bug of the caller
 */
export function pathInside(mounts: readonly Mount[], hostPath: string): string {
  const mount = mounts
    .filter(({ source }) => isBelow(source, hostPath))
    .sort((a, b) => b.source.length - a.source.length)[0]
  if (mount === undefined) throw new TypeError(`${hostPath} is below none of the session's mounts`)
  return join(mount.target, relative(mount.source, hostPath))
}

function isBelow(directory: string, path: string): boolean {
  const way = relative(directory, path)
  return way !== '..' && !way.startsWith('../')
}

/**
 * Makes sure that nothing of fwbuild's own lies in what a build may write to: its records, the git history, the
 * output, this project.
 * @throws usage E_PLACES
 */
export async function requireApart(mounts: readonly Mount[], own: readonly string[]): Promise<void> {
  for (const { source, readonly } of mounts) {
    if (readonly === true) continue
    const writable = await realPlace(source)
    for (const place of own) {
      if (!isBelow(writable, await realPlace(place))) continue
      throw usageError('E_PLACES', `${place} lies in ${source}, which the build may write to`, {
        hint: 'name another place: --work, --output, --dl',
      })
    }
  }
}

/** Where a path leads, as far as it exists. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error
    return join(await realPlace(dirname(path)), basename(path))
  }
}

/**
 * Makes the folders that are to be mounted. Those that a build writes to are owned by the build user where they
 * are new; the folders above them never are, or a build without containers could put others in their place.
 * @throws build E_UNSAFE_PATH where it could, and has
 */
export async function makeMountSources({
  mounts,
  user,
  workDir,
}: Pick<SessionSpec, 'mounts' | 'user' | 'workDir'>): Promise<void> {
  for (const { source, readonly } of mounts) {
    if (isBelow(workDir, source)) takeBackAbove(workDir, relative(workDir, source), user)
    const isNew = (await mkdir(source, { recursive: true })) !== undefined
    if (isNew && readonly !== true && process.getuid?.() === 0) await lchown(source, user.uid, user.gid)
  }
}

/** Earlier versions gave the folders above to the build user too. */
function takeBackAbove(workDir: string, path: string, user: BuildUser): void {
  const names = path.split('/').slice(0, -1)
  for (const [index] of names.entries()) takeBackBeneath(workDir, names.slice(0, index + 1).join('/'), user)
}
