import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const identity = { name: 'Test', email: 'test@localhost' }

/** git as a user would call it, in a fixed environment; output without its final newline. */
export function git(directory: string, ...args: readonly string[]): string {
  const env = {
    PATH: process.env['PATH'],
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: identity.name,
    GIT_AUTHOR_EMAIL: identity.email,
    GIT_AUTHOR_DATE: '1700000000 +0000',
    GIT_COMMITTER_NAME: identity.name,
    GIT_COMMITTER_EMAIL: identity.email,
    GIT_COMMITTER_DATE: '1700000000 +0000',
  }
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  return execFileSync('git', ['-c', 'safe.directory=*', ...args], {
    cwd: directory,
    encoding: 'utf8',
    env,
    stdio: [...stdio],
  }).trimEnd()
}

/** Makes `directory` a repository with a branch main and nothing in it. */
export function newRepository(directory: string): void {
  mkdirSync(directory, { recursive: true })
  git(directory, 'init', '-q', '--initial-branch=main')
}

/**
 * Writes files and commits everything in the work tree.
 * @returns the commit's id
 */
export function commit(directory: string, subject: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  git(directory, 'add', '-A')
  git(directory, 'commit', '-q', '-m', subject)
  return git(directory, 'rev-parse', 'HEAD')
}
