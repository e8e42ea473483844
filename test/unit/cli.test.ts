import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
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
