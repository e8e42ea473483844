import test from 'ava'
import { readAcsOverride, type AcsMode } from '../../../src/core/host/acs-override.ts'
import {
  groupsCases,
  groupsText,
  judgeGroups,
  readGroupsReport,
  type GroupsProof,
} from '../../../src/core/host/iommu-proof.ts'
import { expectedGroups, proofCommand, type Topology } from '../../../src/core/host/iommu-topology.ts'
import { groupsTable } from '../../../src/report/groups-table.ts'

const together = '{rp0 rp1 e f g}'
const ports = '{rp0} {rp1} {e f} {g}'
const apart = '{rp0} {rp1} {e} {f} {g}'

/** What real kernels showed, 6.1 to 7.3. */
const measured: readonly (readonly [AcsMode, Topology, string, string])[] = [
  ['off', 'A', '', together],
  ['off', 'A', 'downstream,multifunction', together],
  ['off', 'B', '', ports],
  ['off', 'B+R', '', together],
  ['missing', 'A', '', together],
  ['missing', 'A', 'multifunction', together],
  ['missing', 'A', 'downstream', ports],
  ['missing', 'A', 'id:1b36:000c', ports],
  ['missing', 'A', 'id:1B36:c', ports],
  ['missing', 'A', 'downstream,multifunction', apart],
  ['always', 'A', 'downstream,multifunction', apart],
  ['missing', 'B+R', '', together],
  ['missing', 'B+R', 'downstream', together],
  ['missing', 'B+R', 'downstream,multifunction', together],
  ['always', 'B+R', 'downstream', ports],
  ['always', 'B+R', 'downstream,multifunction', apart],
]

for (const [mode, topology, options, groups] of measured) {
  test(`expected: ${mode} ${topology} ${options === '' ? 'without options' : options}`, (t) => {
    t.is(groupsText(expectedGroups(topology, mode, options.split(','))), groups)
  })
}

test('options are read as the kernel reads them', (t) => {
  t.deepEqual(readAcsOverride(['downstream', 'id:8086:10D3', 'id:12345:1', 'Multifunction', '']), {
    downstream: true,
    multifunction: false,
    ids: ['8086:10d3'],
    unknown: ['id:12345:1', 'Multifunction'],
  })
})

const report = [
  'release 6.1.192-fwbuild-acs',
  'tainted 64',
  'group 10 0000:02:00.1 0000:00:1c.0',
  'group 0 0000:00:00.0 pci0000:00',
  'group 2 0000:00:1c.0 pci0000:00',
  'group 10 0000:02:00.0 0000:00:1c.0',
  'group 3 0000:00:1c.1 pci0000:00',
  'group 11 0000:03:00.0 0000:00:1c.1',
  'log [    0.010000] PCI: ACS override in force: devices may reach each other',
]

test('a guest’s report gives groups by name, whatever their numbers', (t) => {
  t.deepEqual(readGroupsReport(report), {
    release: '6.1.192-fwbuild-acs',
    tainted: 64,
    groups: [['rp0'], ['rp1'], ['e', 'f'], ['g']],
    warnings: ['PCI: ACS override in force: devices may reach each other'],
  })
})

test('a boot passes with the expected groups, taint and warnings, and tells what differs', (t) => {
  const seen = readGroupsReport(report)
  const judge = (acs: AcsMode, options: readonly string[], change: Partial<typeof seen> = {}) =>
    judgeGroups(acs, { topology: 'A', options }, { ...seen, ...change }, null)
  t.is(judge('missing', ['downstream']).status, 'passed')
  t.regex(judge('missing', ['downstream'], { tainted: 0 }).detail ?? '', /tainted is 0, expected the bit 64/)
  t.is(judge('missing', ['downstream'], { tainted: 64 + 4096 }).status, 'passed')
  t.regex(judge('missing', ['downstream', 'x']).detail ?? '', /did not warn of the unknown option x/)
  t.is(judge('missing', ['downstream', 'x'], { warnings: ["unknown option 'x'"] }).status, 'passed')
  t.regex(judge('missing', []).detail ?? '', /^groups are \{rp0\} .* expected \{rp0 rp1 e f g\}/)
  t.regex(judge('missing', [], { groups: [] }).detail ?? '', /no IOMMU groups/)
  const failed = judgeGroups('off', { topology: 'B', options: [] }, seen, 'the kernel panicked')
  t.like(failed, { status: 'failed', detail: 'the kernel panicked' })
})

test('the cases hold the advised options once', (t) => {
  const count = groupsCases('missing', []).length
  t.is(groupsCases('missing', ['multifunction', 'downstream']).length, count)
  t.deepEqual(groupsCases('missing', ['id:8086:10d3']).at(-1), { topology: 'A', options: ['id:8086:10d3'] })
  t.is(groupsCases('always', ['id:8086:10d3']).at(-1)?.topology, 'B+R')
  t.deepEqual(
    groupsCases('off', []).map(({ topology }) => topology),
    ['A', 'B', 'B+R'],
  )
})

test('the machine is what the topology says', (t) => {
  const line = (topology: Topology): string =>
    proofCommand({
      accel: 'tcg',
      topology,
      kernelPath: '/k',
      initrdPath: '/i',
      parameters: ['pcie_acs_override=downstream'],
      memoryMib: 512,
    }).join(' ')
  t.is(line('A').match(/disable-acs=on/g)?.length, 2)
  t.notRegex(line('B'), /disable-acs|disable_acs/)
  t.regex(line('B+R'), /pci=disable_acs_redir=pci:1b36:000c pcie_acs_override=downstream -chardev/)
})

test('the table shows before and after', (t) => {
  const row = (topology: Topology, parameters: readonly string[], mode: AcsMode) => ({
    topology,
    parameters,
    groups: expectedGroups(topology, mode, parameters),
    expected: expectedGroups(topology, mode, parameters),
    status: 'passed' as const,
    detail: null,
    warnings: [],
    tainted: 0,
    durationMs: 1,
    log: 'x',
  })
  const proof: GroupsProof = {
    status: 'passed',
    acs: 'missing',
    release: '6.1',
    rows: [
      row('A', [], 'missing'),
      row('B+R', [], 'missing'),
      row('A', ['downstream'], 'missing'),
      row('B+R', ['downstream'], 'missing'),
    ],
  }
  const [, ...lines] = groupsTable(proof).trimEnd().split('\n')
  t.regex(lines[0] ?? '', /^A .*\{rp0 rp1 e f g\} +before +passed$/)
  t.regex(
    lines[2] ?? '',
    /pcie_acs_override=downstream +\{rp0\} \{rp1\} \{e f\} \{g\} +splits into 4 +passed$/,
  )
  t.regex(lines[3] ?? '', /^B\+R .* none +passed$/)
})
