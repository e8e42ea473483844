import { execFileSync } from 'node:child_process'
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { cli } from '../helpers/cli.ts'
import { temporaryDirectory } from '../helpers/temporary.ts'

test('work without bound: settings, locks and fragments that never end are refused', async (t) => {
  const cwd = await temporaryDirectory(t)
  execFileSync('mkfifo', [join(cwd, 'fifo')])
  writeFileSync(join(cwd, 'huge'), '')
  truncateSync(join(cwd, 'huge'), 1e9)
  const run = (...args: readonly string[]) =>
    cli(['openwrt', '--dry-run', ...args], { cwd, env: { HOME: cwd } })
  for (const [path, why] of [
    ['fifo', /no regular file/],
    ['/dev/zero', /no regular file/],
    ['.', /no regular file/],
    ['huge', /too large/],
  ] as const) {
    for (const [flag, code] of [
      ['-C', 'E_FILE_UNREADABLE'],
      ['--lock', 'E_LOCK_UNREADABLE'],
    ] as const) {
      const { exitCode, stderr } = await run(flag, path)
      t.is(exitCode, 2, stderr)
      t.regex(stderr, why)
      t.true(stderr.includes(code), stderr)
    }
  }
})

test('what a foreign word does to the terminal: a settings file’s own words come out visible', async (t) => {
  const cwd = await temporaryDirectory(t)
  writeFileSync(join(cwd, 'fwbuild.yaml'), 'version: 1\n"\\e]0;owned\\a\\u202e": 1\n')
  for (const json of [[], ['--json']]) {
    const { exitCode, stderr } = await cli(['openwrt', '--dry-run', ...json], { cwd, env: { HOME: cwd } })
    t.is(exitCode, 2)
    t.regex(stderr, /\\u001b\]0;owned\\u0007\\u202e/)
    // oxlint-disable-next-line no-control-regex -- none of them may be there
    t.notRegex(stderr, /[\u001B\u0007\u202E]/)
  }
})
