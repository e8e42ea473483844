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
