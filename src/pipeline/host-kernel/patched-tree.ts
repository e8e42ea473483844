import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { FileState, ReadFile } from '../../core/patch/file-state.ts'
import { journalFolder } from '../../core/patch/unsafe-name.ts'
import { openTree, treeReader } from '../../effects/patch-tree.ts'
import { changeTree } from '../../effects/tree-change/change.ts'
import type { HostKernelPlaces } from './context.ts'

/** A source tree that can be patched again and again, always from its pristine state. */
export interface PatchedTree {
  /** Reads the tree as it was unpacked. */
  readonly pristine: ReadFile
  /** Makes the tree the pristine one with these changes; what is as it should be is not touched. */
  readonly write: (changes: ReadonlyMap<string, FileState | undefined>) => Promise<void>
  /** sha256 of every file that is or was changed, by path; null where there is none. */
  readonly digests: () => { readonly [path: string]: string | null }
}

/** What the trees' locks say. */
const lockedFor = 'fwbuild host-kernel'

/** Marks, among the pristine copies, a file that the unpacked tree does not have. */
const absentSuffix = '.fwbuild-absent'

/**
 * Before a file is changed for the first time its pristine copy is kept aside, in one atomic write; a run that
 * was killed in between finds either, and starts again from what was unpacked.
 */
export function patchedTree({
  pristine: keptDir,
  src,
}: Pick<HostKernelPlaces, 'pristine' | 'src'>): PatchedTree {
  const tree = openTree(src)
  mkdirSync(keptDir, { recursive: true })
  const aside = openTree(keptDir)
  const current = treeReader(tree)
  const kept = treeReader(aside)
  const keptPaths = (): readonly string[] =>
    filesBelow(aside)
      .map((path) => path.replace(absentSuffix, ''))
      .sort()
  const isKept = (path: string): boolean =>
    existsSync(join(aside, path)) || existsSync(join(aside, path + absentSuffix))
  const pristine: ReadFile = (path) => {
    if (!isFileKept(aside, path)) return isKept(path) ? undefined : current(path)
    return kept(path)
  }
  return {
    pristine,
    write: async (changes) => {
      await using keeping = await changeTree(aside, lockedFor)
      await using patching = await changeTree(tree, lockedFor)
      const fresh = [...changes.keys()].filter((path) => !isKept(path))
      await keeping.write(new Map(fresh.map((path) => keptState(path, current(path)))))
      const wanted = new Map<string, FileState | undefined>()
      for (const path of new Set([...keptPaths(), ...changes.keys()])) {
        const state = changes.has(path) ? changes.get(path) : pristine(path)
        if (!same(state, current(path))) wanted.set(path, state)
      }
      await patching.write(wanted)
    },
    digests: () =>
      Object.fromEntries(
        keptPaths().map((path) => {
          const state = current(path)
          return [path, state === undefined ? null : createHash('sha256').update(state.bytes).digest('hex')]
        }),
      ),
  }
}

function keptState(path: string, state: FileState | undefined): readonly [string, FileState] {
  return state === undefined
    ? [path + absentSuffix, { kind: 'file', mode: 0o100644, bytes: new Uint8Array() }]
    : [path, state]
}

const isFileKept = (aside: string, path: string): boolean => {
  const stats = lstatSync(join(aside, path), { throwIfNoEntry: false })
  return stats !== undefined && !stats.isDirectory()
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.startsWith(`${journalFolder}/`))
}

function same(a: FileState | undefined, b: FileState | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.kind === b.kind && a.mode === b.mode && Buffer.from(a.bytes).equals(b.bytes)
}
