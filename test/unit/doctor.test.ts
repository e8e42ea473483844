import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { cli } from '../helpers/cli.ts'

test('doctor lists every finding, as a table and as JSON, and fails where something is missing', async (t) => {
  const work = await mkdtemp(join(tmpdir(), 'fwbuild-doctor-'))
  const env = { ...process.env, DOCKER_HOST: `unix://${join(work, 'none.sock')}`, FWBUILD_WORK: work }
  const table = await cli(['doctor'], { env })
  t.is(table.exitCode, 3)
  t.regex(table.stdout, /^✓ Node\.js/m)
  t.regex(table.stdout, /^✗ Docker daemon .*none\.sock: ENOENT\n.*→ .*--engine host/m)
  t.regex(table.stderr, /missing on this machine: .*Docker daemon.* \[E_HOST\]/)
  const json = JSON.parse((await cli(['doctor', '--json'], { env })).stdout) as {
    findings: { id: string; state: string }[]
  }
  t.is(json.findings.find(({ id }) => id === 'docker')?.state, 'missing')
  const fix = await cli(['doctor', '--fix'], { env })
  t.is(fix.exitCode, 3)
  t.regex(fix.stderr, /fwbuild starts none there/)
  const host = await cli(['doctor', '--json', '--engine', 'host'], { env })
  t.false(host.stdout.includes('"docker"'))
  t.true(host.stdout.includes('"gcc"'))
  await rm(work, { recursive: true })
})

test('doctor refuses an engine it does not know', async (t) => {
  t.is((await cli(['doctor', '--engine', 'warp'])).exitCode, 2)
})
