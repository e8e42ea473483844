import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  type Stats,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { executableMode, type FileState } from '../../core/patch/file-state.ts'
import { at, hasCode } from '../beneath/open.ts'
import { type Folders, nameOf, parentOf } from '../beneath/folders.ts'
import { backupName, type Entry, type Journal, temporaryName } from './journal.ts'

/** Writes the new content of an entry beside its target. @returns its inode */
export function stage(
  folders: Folders,
  journal: Journal,
  index: number,
  { path, folder, wasThere }: Entry,
  state: FileState,
): number {
  const parent = folders.need(folder)
  const temporary = at(parent, temporaryName(journal, index))
  if (state.kind === 'symlink') {
    symlinkSync(Buffer.from(state.bytes), temporary)
    return lstatSync(temporary).ino
  }
  const old = wasThere ? lstatSync(at(parent, nameOf(path)), { throwIfNoEntry: false }) : undefined
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const file = openSync(temporary, flags, state.mode === executableMode ? 0o777 : 0o666)
  try {
    writeFileSync(file, state.bytes)
    if (old?.isFile() === true) keepAttributes(file, old, state.mode)
    return fstatSync(file).ino
  } finally {
    closeSync(file)
  }
}

/** Permission bits of the old file; only the executable bits follow the patch. */
function keepAttributes(file: number, old: Stats, mode: number): void {
  const bits = old.mode & 0o777
  const wasExecutable = (bits & 0o100) !== 0
  const isExecutable = mode === executableMode
  const wanted =
    wasExecutable === isExecutable ? bits : isExecutable ? bits | ((bits & 0o444) >> 2) : bits & ~0o111
  const { uid, gid } = fstatSync(file)
  if (uid !== old.uid || gid !== old.gid) giveAway(file, old)
  fchmodSync(file, wanted)
}

/** Another's file that this user may replace but not give away becomes his, as with every editor. */
function giveAway(file: number, { uid, gid }: Stats): void {
  try {
    fchownSync(file, uid, gid)
  } catch (error) {
    if (!hasCode(error, 'EPERM', 'EINVAL')) throw error
  }
}

/** Moves a file that is to be deleted to its second name. */
export function setAside(folders: Folders, journal: Journal, index: number, { path, folder }: Entry): void {
  const parent = folders.need(folder)
  renameSync(at(parent, nameOf(path)), at(parent, backupName(journal, index)))
}

export function makeFolder(folders: Folders, path: string): void {
  try {
    mkdirSync(at(folders.need(parentOf(path)), nameOf(path)))
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  }
}

/** Moves new content to its target; the old one keeps a second name. */
export function place(folders: Folders, journal: Journal, index: number, entry: Entry): void {
  const { path, folder, wasThere } = entry
  if (wasThere) keepCopy(folders, journal, index, entry)
  const parent = parentOf(path)
  if (folder === parent) {
    const opened = folders.need(folder)
    renameSync(at(opened, temporaryName(journal, index)), at(opened, nameOf(path)))
    return
  }
  const from = openSync(`/proc/self/fd/${folders.need(folder)}`, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    renameSync(at(from, temporaryName(journal, index)), at(folders.need(parent), nameOf(path)))
  } finally {
    closeSync(from)
  }
}

/** A second name where links are possible, so that the target is there at all times. */
function keepCopy(folders: Folders, journal: Journal, index: number, entry: Entry): void {
  const parent = folders.need(entry.folder)
  try {
    linkSync(at(parent, nameOf(entry.path)), at(parent, backupName(journal, index)))
  } catch {
    setAside(folders, journal, index, entry)
  }
}
