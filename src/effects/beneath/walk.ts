import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import type { KindBeneath } from './open.ts'
import { listBeneath } from './read.ts'

/** No real tree is deeper. */
const maxDepth = 100

/** Regular files below a folder by their path relative to it, sorted; none where it is absent. */
export const filesBelow = (root: string, path: string): readonly string[] =>
  walk(root, path, (kind) => kind === 'file')

/** The same with folders and links. */
export const entriesBelow = (root: string, path: string): readonly string[] => walk(root, path, () => true)

/** @throws build E_UNSAFE_PATH, E_TOO_DEEP */
function walk(root: string, folder: string, wanted: (kind: KindBeneath) => boolean): readonly string[] {
  const found: string[] = []
  const visit = (inner: string, depth: number): void => {
    if (depth > maxDepth) {
      throw buildError('E_TOO_DEEP', `${join(root, folder)} is more than ${maxDepth} folders deep`)
    }
    for (const { name, kind } of listBeneath(root, join(folder, inner))) {
      const path = inner === '' ? name : `${inner}/${name}`
      if (wanted(kind)) found.push(path)
      if (kind === 'folder') visit(path, depth + 1)
    }
  }
  visit('', 0)
  return found.sort()
}
