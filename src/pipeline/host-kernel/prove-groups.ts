import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Accelerator } from '../../core/boot/boot-result.ts'
import type { GuestLimits } from '../../core/boot/guest-report.ts'
import type { Reporter } from '../../core/events.ts'
import { overrideParameter, type AcsMode } from '../../core/host/acs-override.ts'
import { cpioArchive } from '../../core/host/cpio.ts'
import {
  groupsCases,
  groupsScript,
  groupsText,
  judgeGroups,
  parametersText,
  readGroupsReport,
  type GroupsCase,
  type GroupsProof,
  type GroupsRow,
} from '../../core/host/iommu-proof.ts'
import { proofCommand } from '../../core/host/iommu-topology.ts'
import { removeTree } from '../../effects/files.ts'
import { kvmAvailable } from '../../effects/qemu.ts'
import { guestBase } from '../../core/host/guest-base.ts'
import { runGuest } from './run-guest.ts'

export interface GroupsProofOptions {
  /** bzImage. */
  readonly kernelPath: string
  /** A BusyBox that needs no library. */
  readonly busyboxPath: string
  readonly acs: AcsMode
  /** Options of `pcie_acs_override=` that are advised; proved besides the usual ones. */
  readonly parameters: readonly string[]
  /** Gets `groups-NN.log`, the serial console of each boot. */
  readonly logDir: string
  readonly signal: AbortSignal
  readonly report: Reporter
  /** Id of the step the events belong to. */
  readonly step: string
  /** Default: those the kernel's override is proved with. */
  readonly cases?: readonly GroupsCase[]
  readonly limits?: GuestLimits
  readonly accelerators?: readonly Accelerator[]
}

/** A distribution’s kernel takes 12 s under TCG on an idle machine, ten times that on a busy one. */
const usualLimits: GuestLimits = { silenceMs: 60_000, overallMs: 300_000 }
const memoryMib = 512

/**
 * Boots a kernel once for each topology and set of options and compares its IOMMU groups with what is
 * expected. A group that is otherwise is a result, not an error.
 * @throws infra E_PROGRAM_MISSING (no QEMU), cancelled; no QEMU stays behind
 */
export async function proveGroups(options: GroupsProofOptions): Promise<GroupsProof> {
  const { acs, step } = options
  await removeOldLogs(options.logDir)
  const directory = await mkdtemp(join(tmpdir(), 'fwbuild-groups-'))
  try {
    const initrdPath = join(directory, 'initrd')
    const busybox = await readFile(options.busyboxPath)
    await writeFile(initrdPath, gzipSync(cpioArchive(guestBase(busybox, groupsScript))))
    let accelerators = options.accelerators ?? ((await kvmAvailable()) ? ['kvm', 'tcg'] : ['tcg'])
    let release: string | null = null
    const rows: GroupsRow[] = []
    const cases = options.cases ?? groupsCases(acs, options.parameters)
    for (const tried of cases) {
      const item = `${tried.topology} ${parametersText(tried.options)}`
      options.report({
        type: 'progress',
        step,
        progress: { item, done: rows.length, total: cases.length },
      })
      const log = join(options.logDir, `groups-${String(rows.length + 1).padStart(2, '0')}.log`)
      const run = await runGuest({
        command: (accel) =>
          proofCommand({
            accel,
            topology: tried.topology,
            kernelPath: options.kernelPath,
            initrdPath,
            parameters: overrideParameter(tried.options),
            memoryMib,
          }),
        accelerators,
        limits: options.limits ?? usualLimits,
        logPath: log,
        signal: options.signal,
        onFallBack: (from) =>
          options.report({
            type: 'note',
            step,
            level: 'warn',
            text: `no kernel shows with ${from} on this machine; booting without it, which is slower`,
          }),
      })
      accelerators = [run.accel]
      const seen = readGroupsReport(run.report)
      release ??= seen.release
      const row = { ...judgeGroups(acs, tried, seen, run.failure ?? null), durationMs: run.durationMs, log }
      rows.push(row)
      const verdict = row.detail ?? groupsText(row.groups)
      options.report({ type: 'line', step, stream: 'out', text: `${item}: ${row.status}: ${verdict}` })
    }
    const status = rows.every((row) => row.status === 'passed') ? 'passed' : 'failed'
    return { status, acs, release, rows }
  } finally {
    await removeTree(directory)
  }
}

/** Another mode has fewer boots: a log of an earlier proof must not lie beside them. */
async function removeOldLogs(logDir: string): Promise<void> {
  const names = await readdir(logDir).catch(() => [])
  const old = names.filter((name) => /^groups-\d+\.log$/.test(name))
  await Promise.all(old.map((name) => rm(join(logDir, name))))
}
