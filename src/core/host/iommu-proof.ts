import { sayFunction } from '../boot/guest-report.ts'
import { overrideInForce, overrideParameter, readAcsOverride, type AcsMode } from './acs-override.ts'
import {
  expectedGroups,
  proofDeviceAt,
  proofDevices,
  rootPortId,
  type ProofDevice,
  type ProofGroups,
  type Topology,
} from './iommu-topology.ts'

/** One boot: a topology and what is written behind `pcie_acs_override=`. */
export interface GroupsCase {
  readonly topology: Topology
  readonly options: readonly string[]
}

export interface GroupsRow {
  readonly topology: Topology
  /** Options of `pcie_acs_override=`; none means that it was not given. */
  readonly parameters: readonly string[]
  readonly groups: ProofGroups
  readonly expected: ProofGroups
  readonly status: 'passed' | 'failed'
  /** What was wrong; null where the row passed. */
  readonly detail: string | null
  /** What the kernel said of the override. */
  readonly warnings: readonly string[]
  /** /proc/sys/kernel/tainted: 64 when the override is in force; null where it could not be read. */
  readonly tainted: number | null
  readonly durationMs: number
  /** Path of the serial log. */
  readonly log: string
}

export interface GroupsProof {
  readonly status: 'passed' | 'failed'
  readonly acs: AcsMode
  /** `uname -r` of the booted kernel; null when none got so far. */
  readonly release: string | null
  readonly rows: readonly GroupsRow[]
}

/** TAINT_USER, Documentation/admin-guide/tainted-kernels.rst. */
const taintUser = 64
const misspelled = 'no-such-option'

/**
 * The boots that show what a kernel's override does and what it does not.
 * @param parameters the options advised for the user's machine, proved as well
 */
export function groupsCases(acs: AcsMode, parameters: readonly string[]): readonly GroupsCase[] {
  const both = ['downstream', 'multifunction']
  const without: readonly GroupsCase[] = (['A', 'B', 'B+R'] as const).map((topology) => ({
    topology,
    options: [],
  }))
  const patched: Readonly<Record<AcsMode, readonly GroupsCase[]>> = {
    off: [],
    missing: [
      { topology: 'A', options: ['multifunction'] },
      { topology: 'A', options: ['downstream'] },
      { topology: 'A', options: [`id:${rootPortId}`] },
      { topology: 'A', options: both },
      { topology: 'A', options: ['downstream', misspelled] },
      { topology: 'B+R', options: both },
    ],
    always: [
      { topology: 'A', options: both },
      { topology: 'A', options: ['downstream', misspelled] },
      { topology: 'B+R', options: ['downstream'] },
      { topology: 'B+R', options: [`id:${rootPortId}`] },
      { topology: 'B+R', options: both },
    ],
  }
  const cases = [...without, ...patched[acs]]
  // The topology on which the options have an effect, if any has.
  const advised: GroupsCase = { topology: acs === 'always' ? 'B+R' : 'A', options: parameters }
  const known = cases.some(
    ({ topology, options }) => topology === advised.topology && sameOptions(options, parameters),
  )
  return parameters.length === 0 || known ? cases : [...cases, advised]
}

const sameOptions = (a: readonly string[], b: readonly string[]): boolean =>
  [...a].sort().join(',') === [...b].sort().join(',')

/** Tells release, taint, groups and the kernel's words about the override. */
export const groupsScript = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox --install -s /bin
export PATH=/bin
${sayFunction}
# Nothing may come between the letters of a line.
dmesg -n 1
say release $(uname -r)
say tainted $(cat /proc/sys/kernel/tainted || echo unknown)
for device in /sys/kernel/iommu_groups/*/devices/*; do
  [ -e "$device" ] || continue
  group=\${device%/devices/*}
  path=$(readlink -f "$device")
  say group "\${group##*/}" "\${device##*/}" "$(basename "$(dirname "$path")")"
done
dmesg | grep -i 'acs.override' | grep -v 'ommand line' | while read -r line; do say log "$line"; done
say end
# Whoever listens ends the machine; what is on the line must not be lost to the end of the power.
sleep 5
poweroff -f
`

/** What a guest told of its groups. */
export interface GroupsReport {
  readonly release: string | null
  readonly tainted: number | null
  readonly groups: ProofGroups
  readonly warnings: readonly string[]
}

export function readGroupsReport(lines: readonly string[]): GroupsReport {
  const names = new Map<string, ProofDevice[]>()
  const warnings: string[] = []
  let release: string | null = null
  let tainted: number | null = null
  for (const line of lines) {
    const [word = '', ...fields] = line.split(' ')
    if (word === 'release') release = fields[0] ?? null
    if (word === 'tainted' && /^\d+$/.test(fields[0] ?? '')) tainted = Number(fields[0])
    if (word === 'log') warnings.push(fields.join(' ').replace(/^\[ *\d+\.\d+\] /, ''))
    if (word !== 'group') continue
    const [group = '', address = '', parent = ''] = fields
    const device = proofDeviceAt(address, parent)
    if (device !== undefined) names.set(group, [...(names.get(group) ?? []), device])
  }
  return { release, tainted, groups: inOrder([...names.values()]), warnings }
}

function inOrder(groups: readonly (readonly ProofDevice[])[]): ProofGroups {
  const place = (device: ProofDevice | undefined): number =>
    device === undefined ? -1 : proofDevices.indexOf(device)
  return groups
    .map((group) => [...group].sort((a, b) => place(a) - place(b)))
    .sort((a, b) => place(a[0]) - place(b[0]))
}

/**
 * Judges one boot.
 * @param failure why the guest did not get to the end of its report
 */
export function judgeGroups(
  acs: AcsMode,
  tried: GroupsCase,
  report: GroupsReport,
  failure: string | null,
): Omit<GroupsRow, 'durationMs' | 'log'> {
  const expected = expectedGroups(tried.topology, acs, tried.options)
  const detail = failure ?? groupsFault(acs, tried, report, expected)
  return {
    topology: tried.topology,
    parameters: tried.options,
    groups: report.groups,
    expected,
    status: detail === null ? 'passed' : 'failed',
    detail,
    warnings: report.warnings,
    tainted: report.tainted,
  }
}

function groupsFault(
  acs: AcsMode,
  { options }: GroupsCase,
  report: GroupsReport,
  expected: ProofGroups,
): string | null {
  const override = readAcsOverride(options)
  if (report.groups.length === 0) return 'the kernel made no IOMMU groups'
  if (groupsText(report.groups) !== groupsText(expected)) {
    return `groups are ${groupsText(report.groups)}, expected ${groupsText(expected)}`
  }
  const taint = acs !== 'off' && overrideInForce(override) ? taintUser : 0
  // Other bits are the machine's and the configuration's own.
  if (report.tainted !== null && (report.tainted & taintUser) !== taint) {
    return `tainted is ${report.tainted}, expected ${taint === 0 ? 'no' : 'the'} bit ${taintUser}`
  }
  const unwarned = override.unknown.find(
    (word) => !report.warnings.some((line) => line.includes(`'${word}'`)),
  )
  return acs !== 'off' && unwarned !== undefined
    ? `the kernel did not warn of the unknown option ${unwarned}`
    : null
}

/** `{rp0} {rp1} {e f} {g}` */
export const groupsText = (groups: ProofGroups): string =>
  groups.length === 0 ? '(none)' : groups.map((group) => `{${group.join(' ')}}`).join(' ')

/** `pcie_acs_override=…`, or a dash. */
export const parametersText = (options: readonly string[]): string => overrideParameter(options)[0] ?? '-'
