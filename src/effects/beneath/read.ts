import {
  closeSync,
  createReadStream,
  fstatSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  type ReadStream,
  type Stats,
} from 'node:fs'
import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import {
  at,
  inParent,
  hasCode,
  kindOf,
  openFile,
  openFolder,
  type EntryBeneath,
  type KindBeneath,
} from './open.ts'

/** What stands at `path`, undefined where nothing does or where only a link leads there. */
export function kindBeneath(root: string, path: string): KindBeneath | undefined {
  const stats = statBeneath(root, path)
  return stats === undefined ? undefined : kindOf(stats)
}

/** lstat(2) of what stands at `path`, undefined where nothing does or where only a link leads there. */
export function statBeneath(root: string, path: string): Stats | undefined {
  try {
    return inParent<Stats | undefined>(root, path, undefined, (folder, name) =>
      lstatSync(at(folder, name), { throwIfNoEntry: false }),
    )
  } catch (error) {
    if (hasCode(error, 'E_UNSAFE_PATH')) return undefined
    throw error
  }
}

/** Where a link at `path` points, which is not looked at; undefined for what is no link. */
export function linkTargetBeneath(root: string, path: string): string | undefined {
  if (kindBeneath(root, path) !== 'link') return undefined
  return inParent<string | undefined>(root, path, undefined, (folder, name) => readlinkSync(at(folder, name)))
}

/** True for a regular file that is reached without a link. */
export const isFileBeneath = (root: string, path: string): boolean => kindBeneath(root, path) === 'file'

/**
 * Bytes of a regular file.
 * @returns undefined where it is absent
 * @throws build E_UNSAFE_PATH, E_FILE_TOO_LARGE for more than `maxBytes`
 */
export function readBeneath(root: string, path: string, maxBytes: number): Buffer | undefined {
  const file = openFile(root, path)
  if (file === undefined) return undefined
  try {
    const { size } = fstatSync(file)
    if (size > maxBytes) {
      throw buildError(
        'E_FILE_TOO_LARGE',
        `${join(root, path)} has ${size} bytes; at most ${maxBytes} are read`,
      )
    }
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

/** The same as text in UTF-8. */
export const readTextBeneath = (root: string, path: string, maxBytes: number): string | undefined =>
  readBeneath(root, path, maxBytes)?.toString('utf8')

/**
 * A regular file as a stream, which closes it.
 * @throws build E_UNSAFE_PATH; E_FILE_MISSING where it is absent
 */
export function streamBeneath(root: string, path: string): ReadStream {
  const fd = openFile(root, path)
  if (fd === undefined) throw buildError('E_FILE_MISSING', `${join(root, path)} does not exist`)
  return createReadStream('', { fd, highWaterMark: 1 << 20 })
}

/** Names in a folder with their kinds, sorted; none where it is absent. @throws build E_UNSAFE_PATH */
export function listBeneath(root: string, path: string): readonly EntryBeneath[] {
  const folder = openFolder(root, path)
  if (folder === undefined) return []
  try {
    return readdirSync(`/proc/self/fd/${folder}`, { withFileTypes: true })
      .map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  } finally {
    closeSync(folder)
  }
}
