import { spawnSync } from 'node:child_process'

const env = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'T',
  GIT_AUTHOR_EMAIL: 't@example.org',
  GIT_COMMITTER_NAME: 'T',
  GIT_COMMITTER_EMAIL: 't@example.org',
}

/** git as `git am` and `format-patch` need it: bytes in and out, as binary strings; it may fail. */
export const gitBytes = (cwd: string, args: readonly string[], input = '') =>
  spawnSync('git', args, { cwd, env, input: Buffer.from(input, 'latin1'), encoding: 'latin1' })
