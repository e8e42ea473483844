import { lstatSync, renameSync, rmdirSync, unlinkSync } from 'node:fs'
import { messageOf } from '../../core/errors.ts'
import { at, hasCode } from '../beneath/open.ts'
import { type Folders, nameOf, parentOf } from '../beneath/folders.ts'
import { backupName, type Entry, type Journal, type Phase, temporaryName } from './journal.ts'

/**
 * Puts the tree back as it was before the change; may be killed and done again at any moment.
 * @param phase `plan` or `journal`
 * @returns what could not be put back, as text
 */
export function rollBack(folders: Folders, journal: Journal, phase: Phase): readonly string[] {
  const entries = [...journal.entries.entries()].toReversed()
  const problems: string[] = []
  const each = (change: Entry['change'], undo: (index: number, entry: Entry) => void): void => {
    for (const [index, entry] of entries) {
      if (entry.change === change) problems.push(...attempt(() => undo(index, entry)))
    }
  }
  if (phase === 'journal') {
    each('write', (index, entry) => undoWrite(folders, journal, index, entry))
    for (const path of journal.folders.toReversed()) {
      problems.push(...attempt(() => removeFolder(folders, path)))
    }
    each('delete', (index, entry) => restore(folders, journal, index, entry))
  }
  each('write', (index, { folder }) => removeIn(folders, folder, temporaryName(journal, index)))
  return problems
}

/** Removes the second names of old contents, and folders that deletions left empty; may be done again. */
export function clearUp(folders: Folders, journal: Journal): readonly string[] {
  return [...journal.entries.entries()].flatMap(([index, { path, folder, change, wasThere }]) => {
    if (!wasThere) return []
    const problems = attempt(() => removeIn(folders, folder, backupName(journal, index)))
    if (change === 'delete') removeEmpty(folders, parentOf(path))
    return problems
  })
}

function undoWrite(folders: Folders, journal: Journal, index: number, entry: Entry): void {
  if (entry.wasThere) {
    restore(folders, journal, index, entry)
    return
  }
  const parent = madeFolder(folders, parentOf(entry.path))
  if (parent === undefined) return
  const target = at(parent, nameOf(entry.path))
  // Only what the change put there: before that, or since, it may be somebody else's.
  if (lstatSync(target, { throwIfNoEntry: false })?.ino === entry.inode) unlinkSync(target)
}

/** undefined also where the file still stands that was to make room for it: then nothing was put there yet. */
function madeFolder(folders: Folders, path: string): number | undefined {
  try {
    return folders.open(path)
  } catch (error) {
    if (hasCode(error, 'E_UNSAFE_PATH')) return undefined
    throw error
  }
}

/** Gives old content its name back. */
function restore(folders: Folders, journal: Journal, index: number, { path, folder }: Entry): void {
  const parent = folders.open(folder)
  if (parent === undefined) return
  const backup = at(parent, backupName(journal, index))
  if (lstatSync(backup, { throwIfNoEntry: false }) === undefined) return
  renameSync(backup, at(parent, nameOf(path)))
  // Two names of one file: then renaming does nothing.
  removeIn(folders, folder, backupName(journal, index))
}

function removeIn(folders: Folders, folder: string, name: string): void {
  const parent = folders.open(folder)
  if (parent === undefined) return
  try {
    unlinkSync(at(parent, name))
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}

/** One that somebody has put something into since stays. */
function removeFolder(folders: Folders, path: string): void {
  const parent = madeFolder(folders, parentOf(path))
  if (parent === undefined) return
  try {
    rmdirSync(at(parent, nameOf(path)))
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error
  }
}

/** Goes on above what an earlier attempt removed already; ends at what is not empty, or can not be removed. */
function removeEmpty(folders: Folders, path: string): void {
  for (let folder = path; folder !== ''; folder = parentOf(folder)) {
    try {
      const parent = folders.open(parentOf(folder))
      if (parent !== undefined) rmdirSync(at(parent, nameOf(folder)))
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) return
    }
  }
}

/** Runs what must not hide or prevent anything else; the errors as text. */
function attempt(action: () => void): readonly string[] {
  try {
    action()
    return []
  } catch (error) {
    return [messageOf(error)]
  }
}
