import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SimpleGit } from 'simple-git'
import { gitMaybe, gitRaw, openGit } from './git.ts'

/** Commits are made in the object store alone: no work tree is touched until one of them is checked out. */

export interface MergeConflict {
  readonly path: string
  /** Newest commits of each side that touched the path since the merge base, `hash subject`. */
  readonly ours: readonly string[]
  readonly theirs: readonly string[]
}

export type MergeOutcome =
  | { readonly status: 'merged'; readonly commit: string; readonly commits: number }
  | { readonly status: 'up-to-date' }
  | { readonly status: 'conflict'; readonly conflicts: readonly MergeConflict[] }

interface Store {
  readonly gitDir: string
  readonly signal: AbortSignal
}

/** Seconds since 1970 of a commit; what is made on top of it carries the same date. */
export async function commitDate(store: Store, commit: string): Promise<number> {
  return Number(await gitRaw(openGit(store.gitDir, store), ['show', '-s', '--format=%ct', commit]))
}

/** A real three-way merge of `theirs` into `ours` (git merge-tree, the ort strategy). */
export async function mergeCommits(
  store: Store,
  ours: string,
  theirs: string,
  message: string,
): Promise<MergeOutcome> {
  const git = openGit(store.gitDir, { ...store, commitDate: await commitDate(store, ours) })
  const base = await gitMaybe(git, ['merge-base', ours, theirs])
  if (base === theirs) return { status: 'up-to-date' }
  const result = await mergeTrees(git, ours, theirs)
  if (result.conflicts.length > 0) {
    return { status: 'conflict', conflicts: await describe(git, result.conflicts, base, ours, theirs) }
  }
  const commit = await gitRaw(git, ['commit-tree', result.tree, '-p', ours, '-p', theirs, '-m', message])
  const commits = Number(await gitRaw(git, ['rev-list', '--count', `${ours}..${theirs}`]))
  return { status: 'merged', commit, commits }
}

/** Applies commits one after another onto `ours`, each as its own commit with its own message. */
export async function cherryPick(
  store: Store,
  ours: string,
  picks: readonly string[],
): Promise<MergeOutcome> {
  const git = openGit(store.gitDir, { ...store, commitDate: await commitDate(store, ours) })
  let head = ours
  for (const pick of picks) {
    const parent = `${pick}^`
    // merge-tree takes its base from history, so give both sides the picked commit's parent as only ancestor.
    const base = await gitRaw(git, ['commit-tree', `${parent}^{tree}`, '-m', 'base'])
    const left = await gitRaw(git, ['commit-tree', `${head}^{tree}`, '-p', base, '-m', 'ours'])
    const right = await gitRaw(git, ['commit-tree', `${pick}^{tree}`, '-p', base, '-m', 'theirs'])
    const result = await mergeTrees(git, left, right)
    if (result.conflicts.length > 0) {
      const fork = await gitMaybe(git, ['merge-base', ours, pick])
      const conflicts = await describe(git, result.conflicts, fork, ours, pick)
      const subject = await gitRaw(git, ['show', '-s', '--format=%h %s', pick])
      return {
        status: 'conflict',
        conflicts: conflicts.map((conflict) => ({ ...conflict, theirs: [subject] })),
      }
    }
    const message = await gitRaw(git, ['show', '-s', '--format=%B', pick])
    head = await gitRaw(git, [
      'commit-tree',
      result.tree,
      '-p',
      head,
      '-m',
      `${message}\n\n(cherry picked from commit ${pick})`,
    ])
  }
  return { status: 'merged', commit: head, commits: picks.length }
}

async function mergeTrees(
  git: SimpleGit,
  ours: string,
  theirs: string,
): Promise<{ readonly tree: string; readonly conflicts: readonly string[] }> {
  // Exit 1 (conflicts) writes nothing to stderr, so the output tells: tree, then one path a line.
  const output = await git.raw(['merge-tree', '--write-tree', '--name-only', '--no-messages', ours, theirs])
  const [tree = '', ...paths] = output.split('\n')
  return { tree, conflicts: [...new Set(paths.filter(Boolean))].sort() }
}

async function describe(
  git: SimpleGit,
  paths: readonly string[],
  base: string | undefined,
  ours: string,
  theirs: string,
): Promise<readonly MergeConflict[]> {
  const touching = async (side: string, path: string): Promise<readonly string[]> => {
    const range = base === undefined ? side : `${base}..${side}`
    const log = await gitMaybe(git, [
      'log',
      '--format=%h %s',
      '--max-count=3',
      '--no-merges',
      range,
      '--',
      path,
    ])
    return (log ?? '').split('\n').filter(Boolean)
  }
  return Promise.all(
    paths.map(async (path) => ({
      path,
      ours: await touching(ours, path),
      theirs: await touching(theirs, path),
    })),
  )
}

export interface FileChange {
  readonly path: string
  /** `null` deletes the file. */
  readonly content: Uint8Array | null
  readonly mode: '100644' | '100755' | '120000'
}

/** A new commit on top of `parent` with some files replaced. */
export async function commitFiles(
  store: Store,
  parent: string,
  changes: readonly FileChange[],
  message: string,
): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), 'fwbuild-index-'))
  try {
    const git = openGit(store.gitDir, {
      ...store,
      indexFile: join(scratch, 'index'),
      workTree: scratch,
      commitDate: await commitDate(store, parent),
    })
    await gitRaw(git, ['read-tree', parent])
    for (const change of changes) {
      if (change.content === null) {
        await gitRaw(git, ['update-index', '--force-remove', change.path])
        continue
      }
      const file = join(scratch, 'blob')
      await writeFile(file, change.content)
      const blob = await gitRaw(git, ['hash-object', '-w', '--no-filters', file])
      await gitRaw(git, ['update-index', '--add', '--cacheinfo', `${change.mode},${blob},${change.path}`])
    }
    const tree = await gitRaw(git, ['write-tree', '--missing-ok'])
    return await gitRaw(git, ['commit-tree', tree, '-p', parent, '-m', message])
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

export interface StoredFile {
  readonly content: Uint8Array
  readonly mode: '100644' | '100755' | '120000'
}

/** A file of a commit, or `undefined` where it has none. */
export async function readStoredFile(
  store: Store,
  commit: string,
  path: string,
): Promise<StoredFile | undefined> {
  const git = openGit(store.gitDir, store)
  const listed = await gitRaw(git, ['ls-tree', commit, '--', path])
  const match = /^(100644|100755|120000) blob ([0-9a-f]+)\t/.exec(listed)
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  return { mode: match[1] as StoredFile['mode'], content: await git.showBuffer([match[2]]) }
}

/** Ids of the files and folders at some paths of a commit, absent ones left out: equal ids mean equal content. */
export async function objectIds(
  store: Store,
  commit: string,
  paths: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const listed = await gitRaw(openGit(store.gitDir, store), ['ls-tree', '-z', commit, '--', ...paths])
  const rows = listed.split('\0').filter(Boolean)
  return Object.fromEntries(
    rows.map((row) => {
      const [facts = '', path = ''] = row.split('\t')
      return [path, facts.split(' ')[2] ?? '']
    }),
  )
}

/** Names in a folder of a commit, sorted; none where it has no such folder. */
export async function namesIn(store: Store, commit: string, folder: string): Promise<readonly string[]> {
  const git = openGit(store.gitDir, store)
  const listed = await gitRaw(git, ['ls-tree', '-z', '--name-only', commit, '--', `${folder}/`])
  return listed.split('\0').filter(Boolean)
}

/** Names a commit so that git keeps it. */
export async function keepCommit(store: Store, name: string, commit: string): Promise<void> {
  await gitRaw(openGit(store.gitDir, store), ['update-ref', `refs/fwbuild/${name}`, commit])
}

/** Commits of `theirs` that neither `ours` nor any trunk has, oldest first, without merges. */
export async function ownCommits(
  store: Store,
  ours: string,
  theirs: string,
  trunks: readonly string[],
): Promise<{ readonly own: readonly string[]; readonly brought: number }> {
  const git = openGit(store.gitDir, store)
  const excluded = [ours, ...trunks].map((commit) => `^${commit}`)
  const own = await gitRaw(git, ['rev-list', '--reverse', '--no-merges', theirs, ...excluded])
  const brought = Number(await gitRaw(git, ['rev-list', '--count', theirs, `^${ours}`]))
  return { own: own.split('\n').filter(Boolean), brought }
}
