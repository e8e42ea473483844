import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { cli } from '../helpers/cli.ts'

test('an unknown command is a usage error that names the help', async (t) => {
  const result = await cli(['frobnicate'])
  t.is(result.exitCode, 2)
  t.regex(result.stderr, /unknown command|too many arguments/)
  t.regex(result.stderr, /fwbuild --help/)
})

test('--help goes to stdout and ends 0', async (t) => {
  const result = await cli(['--help'])
  t.is(result.exitCode, 0)
  t.regex(result.stdout, /prove that they boot/)
})

test('--json: a failure is one event on standard error, whatever found it', async (t) => {
  const cases = [
    [['openwrt', '--json', '--release', 'nope'], 'E_RELEASE_UNKNOWN'],
    [['openwrt', '--json', '--frobnicate'], 'E_COMMAND_LINE'],
    [['verify', '--json'], 'E_COMMAND_LINE'],
  ] as const
  for (const [args, code] of cases) {
    const result = await cli(args)
    t.is(result.exitCode, 2)
    t.is(result.stdout, '')
    t.like(JSON.parse(result.stderr), { type: 'failure', code, exitCode: 2 })
  }
})

test('the version is that of package.json', async (t) => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }
  t.is((await cli(['--version'])).stdout, `${version}\n`)
})

test('standard output on a full disk: exit 3 and a message, not a stack', async (t) => {
  const child = spawn(process.execPath, ['dist/src/cli.js', '--version'], {
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  })
  const [stderr, [exitCode]] = await Promise.all([
    child.stderr === null ? '' : text(child.stderr),
    once(child, 'exit'),
  ])
  t.is(exitCode, 3)
  t.regex(stderr, /^fwbuild: standard output cannot be written: ENOSPC.* \[E_STDOUT\]\n$/)
})
