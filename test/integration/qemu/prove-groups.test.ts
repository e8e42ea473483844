import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import type { StepEvent } from '../../../src/core/events.ts'
import type { AcsMode } from '../../../src/core/host/acs-override.ts'
import { groupsText } from '../../../src/core/host/iommu-proof.ts'
import { proveGroups, type GroupsProofOptions } from '../../../src/pipeline/host-kernel/prove-groups.ts'
import { groupsTable } from '../../../src/report/groups-table.ts'
import { needBusybox } from '../../helpers/busybox-image.ts'
import { debianKernel, needDebianKernel, type DebianKernel } from '../../helpers/debian-kernel.ts'
import { needProgram, testWith } from '../../helpers/need.ts'

const needs = [needProgram('qemu-system-x86_64'), needBusybox(), needDebianKernel()]

let directory = ''
let kernel: Promise<DebianKernel> | undefined

test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fwbuild-groups-test-'))
})
test.after.always(() => rm(directory, { recursive: true, force: true }))

async function prove(options: Partial<GroupsProofOptions> = {}): ReturnType<typeof proveGroups> {
  kernel ??= debianKernel(await mkdtemp(join(directory, 'kernel-')))
  return proveGroups({
    kernelPath: options.kernelPath ?? (await kernel).kernelPath,
    busyboxPath: '/bin/busybox',
    acs: 'off',
    parameters: [],
    logDir: join(directory, 'logs'),
    signal: new AbortController().signal,
    report: () => {},
    step: 'boot',
    ...options,
  })
}

/** Command lines of QEMU processes that use our files. */
async function ourQemus(): Promise<readonly string[]> {
  const found: string[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (line.startsWith('qemu-system') && line.includes(directory)) found.push(line)
  }
  return found
}

testWith(needs, 'a stock kernel shows its three sets of groups and ignores an override', async (t) => {
  const events: StepEvent[] = []
  const proof = await prove({ parameters: ['downstream'], report: (event) => events.push(event) })
  t.deepEqual(
    proof.rows.map(({ detail }) => detail),
    [null, null, null, null],
  )
  t.is(proof.status, 'passed')
  t.is(proof.release, (await kernel)?.release ?? null)
  t.deepEqual(
    proof.rows.map(({ tainted }) => tainted),
    [0, 0, 0, 0],
  )
  t.regex(await readFile(String(proof.rows[0]?.log), 'utf8'), /Linux version 6\.1/)
  t.is(events.filter(({ type }) => type === 'progress').length, 4)
  t.deepEqual(JSON.parse(JSON.stringify(proof)), proof)
})

testWith(needs, 'a kernel that does not do what its patch should fails the proof', async (t) => {
  const proof = await prove({ acs: 'missing', cases: [{ topology: 'A', options: ['downstream'] }] })
  t.is(proof.status, 'failed')
  t.regex(proof.rows[0]?.detail ?? '', /^groups are \{rp0 rp1 e f g\}, expected \{rp0\}/)
})

testWith(needs, 'a guest that panics, hangs or is none is a failed row with the reason', async (t) => {
  const text = join(directory, 'no-busybox')
  await writeFile(text, 'nothing that runs')
  const cases = [{ topology: 'B', options: [] }] as const
  const detailOf = async (options: Partial<GroupsProofOptions>): Promise<string> =>
    (await prove({ cases, ...options })).rows[0]?.detail ?? ''
  t.regex(await detailOf({ busyboxPath: text }), /^the kernel panicked: /)
  t.regex(await detailOf({ kernelPath: text }), /^QEMU ended with exit code 1: /)
  t.regex(await detailOf({ limits: { silenceMs: 60_000, overallMs: 1500 } }), /^not finished after 1\.5 s/)
  t.deepEqual(await ourQemus(), [])
  // The logs are those of the last proof only.
  t.deepEqual(await readdir(join(directory, 'logs')), ['groups-01.log'])
})

testWith(needs, 'an interrupt leaves no QEMU', async (t) => {
  const controller = new AbortController()
  const proof = prove({
    signal: controller.signal,
    report: ({ type }) => {
      if (type === 'progress') setTimeout(() => controller.abort(), 1000)
    },
  })
  const error = await t.throwsAsync(proof, { instanceOf: FwbuildError })
  t.is(error.exitCode, 130)
  t.deepEqual(await ourQemus(), [])
})

/** Patched kernels take long to compile: `missing=/path/bzImage always=/path/bzImage`, separated by spaces. */
const patched = (process.env['FWBUILD_ACS_KERNELS'] ?? '').split(' ').filter((pair) => pair !== '')
if (patched.length === 0)
  test.skip('patched kernels show the groups of their mode (needs FWBUILD_ACS_KERNELS)', () => {})
for (const pair of patched) {
  const [acs = '', kernelPath = ''] = pair.split('=')
  testWith(needs, `${acs}: ${kernelPath} shows the groups of its mode`, async (t) => {
    const proof = await prove({ acs: acs as AcsMode, kernelPath, parameters: ['id:8086:10d3', 'downstream'] })
    t.log(groupsTable(proof))
    t.deepEqual(
      proof.rows.map(({ groups }) => groupsText(groups)),
      proof.rows.map(({ expected }) => groupsText(expected)),
    )
    t.deepEqual(
      proof.rows.flatMap(({ detail }) => detail ?? []),
      [],
    )
  })
}
