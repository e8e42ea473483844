import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { gitMaybe, gitRaw, openGit } from './git.ts'
import { removeTree } from './files.ts'
import { removeLeftLock } from './git-left-lock.ts'
import { runProcess } from './process.ts'

export interface Worktree {
  readonly gitDir: string
  readonly path: string
  readonly signal: AbortSignal
}

/** True when the work tree stands at `commit` with no tracked file changed. */
export async function worktreeIsAt(worktree: Worktree, commit: string): Promise<boolean> {
  if (!existsSync(`${worktree.path}/.git`)) return false
  const git = openGit(worktree.path, worktree)
  if ((await gitMaybe(git, ['rev-parse', 'HEAD'])) !== commit) return false
  return (await gitMaybe(git, ['status', '--porcelain', '--untracked-files=no'])) === ''
}

/**
 * Puts a commit into the work tree. Ignored files (build_dir, staging_dir, dl, …) stay, so that make can go
 * on from them; other untracked files and local changes go.
 * @returns paths that the object store lacks (a partial clone) and that were therefore left out
 */
export async function checkOut(worktree: Worktree, commit: string): Promise<readonly string[]> {
  const mirror = openGit(worktree.gitDir, worktree)
  if (
    existsSync(worktree.path) &&
    (await gitMaybe(openGit(worktree.path, worktree), ['rev-parse', 'HEAD'])) === undefined
  ) {
    await removeTree(worktree.path)
  }
  if (!existsSync(worktree.path)) {
    await mkdir(dirname(worktree.path), { recursive: true })
    await gitRaw(mirror, ['worktree', 'prune'])
    await gitRaw(mirror, ['worktree', 'add', '--force', '--detach', '--no-checkout', worktree.path, commit])
  }
  const git = openGit(worktree.path, worktree)
  await removeLeftLock(resolve(worktree.path, await gitRaw(git, ['rev-parse', '--git-path', 'index.lock'])), [
    worktree.path,
  ])
  const missing = await missingPaths(worktree, commit)
  if (missing.length > 0) {
    await gitRaw(git, ['sparse-checkout', 'set', '--no-cone', '/*', ...missing.map((path) => `!/${path}`)])
  } else if ((await gitMaybe(git, ['config', '--worktree', 'core.sparseCheckout'])) === 'true') {
    await gitRaw(git, ['sparse-checkout', 'disable'])
  }
  await gitRaw(git, ['checkout', '--quiet', '--force', '--detach', commit])
  await gitRaw(git, ['clean', '--quiet', '-f', '-d'])
  return missing
}

/** Blobs of a commit that are not in the object store, by path. */
async function missingPaths(worktree: Worktree, commit: string): Promise<readonly string[]> {
  const options = { cwd: worktree.gitDir, signal: worktree.signal, tailBytes: 64 * 1024 * 1024 }
  const git = ['git', '-c', 'safe.directory=*', '-c', 'core.quotePath=false', '--git-dir', worktree.gitDir]
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
