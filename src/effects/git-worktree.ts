import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { giveBeneath, giveOneBeneath } from './beneath/give.ts'
import { kindBeneath, readBeneath, statBeneath } from './beneath/read.ts'
import { removeBeneath } from './beneath/remove.ts'
import { writeBeneath } from './beneath/write.ts'
import type { BuildUser } from './engine.ts'
import { gitMaybe, gitRaw, openGit, openWorktreeGit, type WorktreePlace } from './git.ts'
import { removeLeftLock } from './git-left-lock.ts'
import { removeObstacles } from './git-obstacles.ts'
import { runProcess } from './process.ts'

export interface Worktree {
  readonly gitDir: string
  readonly path: string
  /** Who gets the files where root checks them out; without one they stay root's. */
  readonly user?: BuildUser
  readonly signal: AbortSignal
}

/** The `.git` of a work tree names the folder of its HEAD and index (gitrepository-layout(5)). */
const pointerTo = (adminDir: string): string => `gitdir: ${adminDir}\n`

/** True when the work tree stands at `commit` with no tracked file changed and its `.git` as it was made. */
export async function worktreeIsAt(worktree: Worktree, commit: string): Promise<boolean> {
  const place = await placeOf(worktree)
  if (place === undefined || !pointsTo(place)) return false
  await removeObstacles(worktree.path, worktree.signal)
  const git = openWorktreeGit(place, worktree)
  if ((await gitMaybe(git, ['rev-parse', 'HEAD'])) !== commit) return false
  return (await gitMaybe(git, ['status', '--porcelain', '--untracked-files=no'])) === ''
}

/**
 * Puts a commit into the work tree and gives it to the build user. Files that are as the commit has them are
 * not written again. Ignored files (build_dir, staging_dir, dl, …) stay, so that make can go on from them; other
 * untracked files and local changes go.
 * @returns paths that the object store lacks (a partial clone) and that were therefore left out
 */
export async function checkOut(worktree: Worktree, commit: string): Promise<readonly string[]> {
  const place = await makePlace(worktree, commit)
  await removeObstacles(worktree.path, worktree.signal)
  const git = openWorktreeGit(place, worktree)
  await removeLeftLock(join(place.adminDir, 'index.lock'), [worktree.path])
  const missing = await missingPaths(worktree, commit)
  if (missing.length > 0) {
    await gitRaw(git, ['sparse-checkout', 'set', '--no-cone', '/*', ...missing.map((path) => `!/${path}`)])
  } else if ((await gitMaybe(git, ['config', '--worktree', 'core.sparseCheckout'])) === 'true') {
    await gitRaw(git, ['sparse-checkout', 'disable'])
  }
  await gitRaw(git, ['checkout', '--quiet', '--force', '--detach', commit])
  await gitRaw(git, ['clean', '--quiet', '-f', '-f', '-d'])
  await giveTracked(worktree, await gitRaw(git, ['ls-tree', '--name-only', '-z', commit]))
  // Else git would find the owner of each file changed and write all of them again next time. Its exit code only
  // tells of files that are left out.
  await gitMaybe(git, ['update-index', '-q', '--refresh'])
  return missing
}

/** What a checkout can have written; build_dir and its like hold hundreds of thousands of files. */
async function giveTracked({ path, user, signal }: Worktree, names: string): Promise<void> {
  if (user === undefined) return
  giveOneBeneath(path, '', user)
  for (const name of ['.git', ...names.split('\0').filter(Boolean)])
    await giveBeneath(path, name, user, signal)
}

/**
 * Where the work tree's HEAD and index lie, by what the object store itself knows.
 * @returns undefined where it knows of no such work tree
 */
async function placeOf({ gitDir, path }: Worktree): Promise<WorktreePlace | undefined> {
  const parent = dirname(path)
  if (!existsSync(parent) || kindBeneath(parent, basename(path)) !== 'folder') return undefined
  const pointer = join(await realpath(parent), basename(path), '.git')
  const folder = join(await realpath(gitDir), 'worktrees')
  const names = existsSync(folder) ? await readdir(folder) : []
  for (const name of names.sort()) {
    const text = await readFile(join(folder, name, 'gitdir'), 'utf8').catch(() => '')
    if (text.trimEnd() === pointer) return { adminDir: join(folder, name), path }
  }
  return undefined
}

function pointsTo({ adminDir, path }: WorktreePlace): boolean {
  const stats = statBeneath(path, '.git')
  const want = pointerTo(adminDir)
  if (stats?.isFile() !== true || stats.size !== Buffer.byteLength(want)) return false
  return readBeneath(path, '.git', stats.size)?.toString() === want
}

/** The work tree as git has it, made anew where it is none; its `.git` is put right. */
async function makePlace(worktree: Worktree, commit: string): Promise<WorktreePlace> {
  const { path, signal } = worktree
  const known = await placeOf(worktree)
  const isWhole =
    known !== undefined &&
    (await gitMaybe(openWorktreeGit(known, worktree), ['rev-parse', 'HEAD'])) !== undefined
  const place = isWhole ? known : await addPlace(worktree, commit)
  if (!pointsTo(place)) {
    await removeBeneath(path, '.git', signal)
    writeBeneath(path, '.git', pointerTo(place.adminDir))
  }
  return place
}

async function addPlace(worktree: Worktree, commit: string): Promise<WorktreePlace> {
  const { path, signal } = worktree
  await mkdir(dirname(path), { recursive: true })
  await removeBeneath(dirname(path), basename(path), signal)
  const store = openGit(worktree.gitDir, worktree)
  await gitRaw(store, ['worktree', 'prune'])
  await gitRaw(store, ['worktree', 'add', '--force', '--detach', '--no-checkout', path, commit])
  const place = await placeOf(worktree)
  if (place === undefined) throw new Error(`git made no work tree at ${path}`)
  return place
}

/** Blobs of a commit that are not in the object store, by path. */
async function missingPaths(worktree: Worktree, commit: string): Promise<readonly string[]> {
  const options = { cwd: worktree.gitDir, signal: worktree.signal, tailBytes: 64 * 1024 * 1024 }
  const git = ['git', '-c', 'core.quotePath=false', '--git-dir', worktree.gitDir]
  const listed = await runProcess(
    [...git, 'ls-tree', '-r', '--format=%(objecttype) %(objectname) %(path)', commit],
    options,
  )
  const blobs = listed.stdout.split('\n').flatMap((row) => {
    const [, hash, path] = /^blob (\S+) (.*)$/s.exec(row) ?? []
    return hash === undefined || path === undefined ? [] : [{ hash, path }]
  })
  const stdin = `${blobs.map((blob) => blob.hash).join('\n')}\n`
  const checked = await runProcess([...git, 'cat-file', '--batch-check'], { ...options, stdin })
  const absent = new Set(
    checked.stdout
      .split('\n')
      .filter((line) => line.endsWith(' missing'))
      .map((line) => line.slice(0, line.indexOf(' '))),
  )
  return blobs.filter((blob) => absent.has(blob.hash)).map((blob) => blob.path)
}
