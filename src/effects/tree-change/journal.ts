import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { infraError, messageOf } from '../../core/errors.ts'
import { unsafeName } from '../../core/patch/unsafe-name.ts'
import { at, hasCode } from '../beneath/open.ts'

/**
 * The journal of a change to a tree. It lies in the tree, so that nothing has to be written anywhere else and all
 * renames stay within one file system. Its name tells how far the change has come:
 *
 * - `plan`: new contents are being written beside their targets, under the names that it lists;
 * - `journal`: they are complete, and being moved to their targets; old contents keep a second name;
 * - `done`: all stand at their targets; second names are being removed.
 *
 * One rename leads to each. Of several names the last counts; ahead of `done` the change is undone.
 */
export type Phase = 'plan' | 'journal' | 'done'
export const phases: readonly Phase[] = ['plan', 'journal', 'done']

export interface Entry {
  /** Relative to the tree. */
  readonly path: string
  readonly change: 'write' | 'delete'
  /** Whether something stood there before. */
  readonly wasThere: boolean
  /** Folder of the temporary names: the nearest to the target that was there before the change; '' for the tree. */
  readonly folder: string
  /** Inode of the complete new content; null while there is none. */
  readonly inode: number | null
}

export interface Journal {
  readonly version: 1
  /** Part of all temporary names. */
  readonly id: string
  /** Inodes of the tree and of the journal's folder: one that was copied or checked out is none of ours. */
  readonly place: readonly [number, number]
  readonly entries: readonly Entry[]
  /** Folders that are made, each behind the one above it. */
  readonly folders: readonly string[]
}

export const newId = (): string => randomBytes(6).toString('hex')

export const temporaryName = ({ id }: Journal, index: number): string => `.fwbuild-${id}-${index}.tmp`
export const backupName = ({ id }: Journal, index: number): string => `.fwbuild-${id}-${index}.old`

/** What tells this tree and this folder from others. */
export const placeOf = (root: number, folder: number): readonly [number, number] => [
  fstatSync(root).ino,
  fstatSync(folder).ino,
]

/**
 * Writes the journal as it is in `phase`; once targets are changed a power cut must not lose it.
 * @param folder the open journal folder
 */
export function writeJournal(folder: number, journal: Journal, phase: 'plan' | 'journal'): void {
  const temporary = at(folder, 'next')
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW
  const file = openSync(temporary, flags, 0o600)
  try {
    writeFileSync(file, JSON.stringify(journal))
    if (phase === 'journal') fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, at(folder, phase))
  if (phase === 'journal') fsyncSync(folder)
}

const maxJournalBytes = 1 << 30

/**
 * What an earlier change left.
 * @returns undefined where there is nothing
 * @throws infra E_TREE_JOURNAL for a journal that was not made here, or that is damaged
 */
export function readJournal(
  root: number,
  folder: number,
  shown: string,
): { readonly journal: Journal; readonly phase: Phase } | undefined {
  const phase = phases.findLast(
    (name) => lstatSync(at(folder, name), { throwIfNoEntry: false }) !== undefined,
  )
  if (phase === undefined) return undefined
  const journal = parsed(ownText(folder, phase, shown), shown)
  const [tree, own] = placeOf(root, folder)
  if (journal.place[0] !== tree || journal.place[1] !== own) {
    throw unusable(shown, 'it was made in another place, and came here with a copy of that tree')
  }
  return { journal, phase }
}

function ownText(folder: number, name: string, shown: string): string {
  let file: number
  try {
    file = openSync(at(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    throw hasCode(error, 'ELOOP', 'ENXIO') ? unusable(shown, 'it is no file') : error
  }
  try {
    const stats = fstatSync(file)
    if (!stats.isFile() || stats.size > maxJournalBytes) throw unusable(shown, 'it is no file')
    if (stats.uid !== process.geteuid?.()) throw unusable(shown, 'it belongs to another user')
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function parsed(text: string, shown: string): Journal {
  try {
    const journal = JSON.parse(text) as Journal
    if (isSound(journal)) return journal
  } catch (cause) {
    throw unusable(shown, messageOf(cause))
  }
  throw unusable(shown, 'it is damaged')
}

/** Only names that a patch could have, too: nothing else is ever touched. */
function isSound({ version, id, place, entries, folders }: Journal): boolean {
  const isName = (name: unknown): boolean =>
    typeof name === 'string' && unsafeName(Buffer.from(name).toString('latin1')) === undefined
  return (
    version === 1 &&
    /^[0-9a-f]{12}$/.test(id) &&
    Array.isArray(place) &&
    folders.every(isName) &&
    entries.every(({ path, folder }) => isName(path) && (folder === '' || isName(folder)))
  )
}

export const unusable = (shown: string, why: string): Error =>
  infraError('E_TREE_JOURNAL', `the journal of an earlier change in ${shown} is not used: ${why}`, {
    hint: `look at the tree, then remove ${shown} and run the same command again`,
  })
