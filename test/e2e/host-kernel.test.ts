import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { hostManifestSchema, type HostManifest } from '../../src/core/manifest/host-manifest.ts'
import { runProcess } from '../../src/effects/process.ts'
import { cli } from '../helpers/cli.ts'
import { needDocker, needProgram, testWith } from '../helpers/need.ts'
import { outcomesOf } from '../helpers/outcomes.ts'

const needs = [
  needDocker(),
  needProgram('debootstrap'),
  needProgram('qemu-system-x86_64'),
  { name: 'root (for debootstrap)', present: process.getuid?.() === 0 },
]

/** Groups of one boot as text, e.g. `{rp0}{rp1}{e f}{g}`. */
function groupsOf({ proofs }: HostManifest, topology: string, parameters: string): string | undefined {
  const row = proofs.groups?.rows.find(
    (each) => each.topology === topology && each.parameters.join(',') === parameters,
  )
  return row?.groups.map((group) => `{${group.join(' ')}}`).join('')
}

async function readManifest(t: ExecutionContext, output: string): Promise<HostManifest> {
  const manifest = hostManifestSchema.parse(JSON.parse(await readFile(join(output, 'manifest.json'), 'utf8')))
  t.is(manifest.proofs.groups?.status, 'passed', JSON.stringify(manifest.proofs.groups, null, 1))
  const sums = await runProcess(['sha256sum', '-c', '--quiet', 'sha256sums'], { cwd: output })
  t.is(sums.exitCode, 0, sums.stdout + sums.stderr)
  return manifest
}

testWith(
  needs,
  'host kernel: `missing` does nothing for ports with idle ACS, `always` splits them',
  async (t) => {
    t.timeout(50 * 60_000)
    const scratch = await mkdtemp(join(tmpdir(), 'fwbuild-e2e-'))
    t.teardown(() => rm(scratch, { recursive: true, force: true }))
    const output = join(scratch, 'out')
    const build = ['host-kernel', '--source', 'debian:6.1', '--config', 'micro', '--zfs=off', '--json']
    build.push('--work', join(scratch, 'work'), '--output', output)

    const missing = await cli([...build, '--acs'])
    t.is(missing.exitCode, 0, missing.stderr.slice(-3000))
    const before = await readManifest(t, output)
    t.is(groupsOf(before, 'A', ''), '{rp0 rp1 e f g}')
    t.is(groupsOf(before, 'A', 'downstream,multifunction'), '{rp0}{rp1}{e}{f}{g}')
    t.is(groupsOf(before, 'B+R', 'downstream,multifunction'), '{rp0 rp1 e f g}')

    const cached = await cli([...build, '--acs'])
    t.true(
      outcomesOf(cached.stderr).every((outcome) => outcome.endsWith(': cached')),
      cached.stderr,
    )

    const always = await cli([...build, '--acs=always'])
    t.is(always.exitCode, 0, always.stderr.slice(-3000))
    const outcomes = outcomesOf(always.stderr)
    t.true(outcomes.includes('source: cached') && outcomes.includes('compile: done'), always.stderr)
    const after = await readManifest(t, output)
    t.is(groupsOf(after, 'B+R', 'downstream,multifunction'), '{rp0}{rp1}{e}{f}{g}')

    const unfit = join(scratch, 'unfit.patch')
    await writeFile(
      unfit,
      '--- a/drivers/pci/quirks.c\n+++ b/drivers/pci/quirks.c\n@@ -1,3 +1,3 @@\n no such line\n-nor this one\n+at all\n here\n',
    )
    const refused = await cli([...build, '--acs=always', '--patch', unfit])
    t.is(refused.exitCode, 1)
    t.regex(refused.stderr, /E_PATCH_REFUSED/)
    const again = await cli([...build, '--acs=always'])
    t.is(again.exitCode, 0, 'what was built is as it was')
  },
)
