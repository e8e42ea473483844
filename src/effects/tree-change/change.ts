import { lstatSync, renameSync, unlinkSync } from 'node:fs'
import { FwbuildError, infraError, messageOf } from '../../core/errors.ts'
import type { FileState } from '../../core/patch/file-state.ts'
import { journalFolder } from '../../core/patch/unsafe-name.ts'
import { at } from '../beneath/open.ts'
import { statBeneath } from '../beneath/read.ts'
import { pacer } from '../pace.ts'
import { type Folders, foldersOf } from '../beneath/folders.ts'
import {
  type Entry,
  type Journal,
  phases,
  placeOf,
  type Phase,
  readJournal,
  writeJournal,
} from './journal.ts'
import { type HeldFolder, holdFolder } from './lock.ts'
import { planOf } from './plan.ts'
import { clearUp, rollBack } from './settle.ts'
import { makeFolder, place, setAside, stage } from './stage.ts'

/** A tree that no other fwbuild changes until this is disposed of. */
export interface TreeChange extends AsyncDisposable {
  /** What a change that was killed had left, and what became of it; undefined where there was nothing. */
  readonly recovered: string | undefined
  /**
   * Writes all, or nothing when any part of it fails (read-only folder, full disk), when `signal` is aborted or when
   * the process is killed: then the next change of the tree takes back what this one did. Permission bits and, where
   * this user may, owners stay. Folders that deletions leave empty go, as with git.
   * @param files new states by path relative to the tree; undefined deletes
   * @throws infra E_DISK_FULL | E_TREE_WRITE, cancelled, with the tree as it was
   */
  readonly write: (files: ReadonlyMap<string, FileState | undefined>, signal?: AbortSignal) => Promise<void>
}

/**
 * Locks a tree for a change, and settles what a change that was killed has left in it. What is to be changed is read
 * only then.
 * @param root real path of the tree
 * @param command what the lock says of this process
 * @throws infra E_TREE_LOCKED that names the process that has it; E_TREE_JOURNAL | E_DISK_FULL | E_TREE_WRITE
 */
export async function changeTree(root: string, command: string): Promise<TreeChange> {
  let held: HeldFolder | undefined
  try {
    held = await holdFolder(root, command)
  } catch (error) {
    throw writeFailure(root, error, [])
  }
  if (held === undefined) return readOnly(root)
  const own = held
  try {
    const recovered = recover(root, own)
    return {
      recovered,
      write: (files, signal) => write(root, own, files, signal),
      [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
    }
  } catch (error) {
    await own[Symbol.asyncDispose]()
    throw error
  }
}

/** @throws infra E_TREE_UNFINISHED where a change is under way in the tree, or one was killed */
export function expectSettled(root: string): void {
  const phase = phases.find((name) => statBeneath(root, `${journalFolder}/${name}`) !== undefined)
  if (phase === undefined) return
  throw infraError(
    'E_TREE_UNFINISHED',
    `${root} is being changed by another process, or one that did was killed`,
    {
      retryable: true,
      hint: 'wait for it; if there is none: fwbuild patch recover --tree DIR, or the next fwbuild patch apply',
    },
  )
}

/** What is already as it should be can be applied to a tree that nobody can write to. */
const readOnly = (root: string): TreeChange => ({
  recovered: undefined,
  write: (files) =>
    files.size === 0
      ? Promise.resolve()
      : Promise.reject(writeFailure(root, new Error('permission denied, or read-only (EACCES)'), [])),
  [Symbol.asyncDispose]: () => Promise.resolve(),
})

function recover(root: string, { tree, folder, shown }: HeldFolder): string | undefined {
  const found = readJournal(tree, folder, shown)
  if (found === undefined) return undefined
  const { journal, phase } = found
  using folders = foldersOf(root)
  const problems = phase === 'done' ? clearUp(folders, journal) : rollBack(folders, journal, phase)
  if (problems.length > 0 && phase !== 'done') {
    throw infraError('E_TREE_WRITE', `${root}: a change that was killed can not be settled`, {
      hint: problems.slice(0, maxProblems).join('\n'),
    })
  }
  forget(folder)
  return `${root}: ${phaseTexts[phase]} (${journal.entries.length} ${journal.entries.length === 1 ? 'file' : 'files'})`
}

const maxProblems = 20

const phaseTexts: Readonly<Record<Phase, string>> = {
  plan: 'a change that was killed had not begun; what it had prepared was removed',
  journal: 'a change that was killed in the middle was taken back; all is as it was before it',
  done: 'a change that was killed at its end was complete; what it left was removed',
}

/** In this order: a journal without `done` behind it would be undone. */
function forget(folder: number): void {
  for (const phase of [...phases, 'next']) {
    const path = at(folder, phase)
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path)
  }
}

async function write(
  root: string,
  { tree, folder }: HeldFolder,
  files: ReadonlyMap<string, FileState | undefined>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (files.size === 0) return
  const pause = pacer(signal)
  using folders = foldersOf(root)
  let journal: Journal | undefined
  let phase: Phase = 'plan'
  try {
    journal = await planOf(root, folders, placeOf(tree, folder), files, pause)
    writeJournal(folder, journal, phase)
    journal = { ...journal, entries: await stageAll(folders, journal, files, pause) }
    phase = 'journal'
    writeJournal(folder, journal, phase)
    await placeAll(folders, journal, pause)
    renameSync(at(folder, phase), at(folder, 'done'))
  } catch (error) {
    const problems = journal === undefined ? [] : rollBack(folders, journal, phase)
    if (problems.length === 0) forget(folder)
    throw writeFailure(root, error, problems)
  }
  if (clearUp(folders, journal).length === 0) forget(folder)
}

async function stageAll(
  folders: Folders,
  journal: Journal,
  files: ReadonlyMap<string, FileState | undefined>,
  pause: () => Promise<void>,
): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  for (const [index, entry] of journal.entries.entries()) {
    const state = files.get(entry.path)
    const inode = state === undefined ? null : stage(folders, journal, index, entry, state)
    entries.push({ ...entry, inode })
    await pause()
  }
  return entries
}

/** Deletions go first: a file may have to make room for a folder of its name. */
async function placeAll(folders: Folders, journal: Journal, pause: () => Promise<void>): Promise<void> {
  const entries = [...journal.entries.entries()]
  for (const [index, entry] of entries) {
    if (entry.change === 'delete' && entry.wasThere) setAside(folders, journal, index, entry)
    await pause()
  }
  for (const path of journal.folders) {
    makeFolder(folders, path)
    await pause()
  }
  for (const [index, entry] of entries) {
    if (entry.change === 'write') place(folders, journal, index, entry)
    await pause()
  }
}

function writeFailure(root: string, cause: unknown, left: readonly string[]): Error {
  const state =
    left.length === 0
      ? 'nothing was changed'
      : `the tree could not be put back as it was:\n${left.slice(0, maxProblems).join('\n')}`
  if (cause instanceof FwbuildError && cause.code !== 'E_UNSAFE_PATH') {
    if (left.length === 0) return cause
    return new FwbuildError(cause.kind, cause.code, cause.message, { cause, hint: state })
  }
  const { code } = cause as NodeJS.ErrnoException
  const full = code === 'ENOSPC' || code === 'EDQUOT'
  const reason = full ? `no space left in ${root}` : `${root} cannot be written: ${messageOf(cause)}`
  return infraError(full ? 'E_DISK_FULL' : 'E_TREE_WRITE', reason, { cause, hint: state })
}
