import { mkdtemp, open, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Accelerator } from '../../core/boot/boot-result.ts'
import type { GuestLimits } from '../../core/boot/guest-report.ts'
import type { Reporter } from '../../core/events.ts'
import { cpioArchive, type CpioEntry } from '../../core/host/cpio.ts'
import { guestBase } from '../../core/host/guest-base.ts'
import { proofCommand } from '../../core/host/iommu-topology.ts'
import {
  judgeModules,
  modulesScript,
  poolDiskBytes,
  poolDiskHead,
  wantedModules,
  type ModulesProof,
  type ModulesProofPlan,
  type ZfsProof,
} from '../../core/host/modules-proof.ts'
import type { BuildArea } from '../../effects/beneath/area.ts'
import { removeTree } from '../../effects/files.ts'
import type { ModulesFolder } from '../../effects/kernel-modules.ts'
import { kvmAvailable } from '../../effects/qemu.ts'
import { moduleFiles } from './module-files.ts'
import { runGuest } from './run-guest.ts'

export interface ModulesProofOptions {
  /** bzImage. */
  readonly kernelPath: string
  /** A BusyBox that needs no library. */
  readonly busyboxPath: string
  /** Several where ZFS's modules lie apart. */
  readonly modulesDirs: readonly ModulesFolder[]
  /** What `uname -r` has to say. */
  readonly release: string
  /** Whether ZFS's modules were built. */
  readonly zfs: boolean
  /** A root with `sbin/zpool`, `sbin/zfs` and the libraries they need; without it no pool is made. */
  readonly zfsUserland?: { readonly area: BuildArea; readonly dir: string }
  /** `vvvv:dddd` of functions to be handed to guests; vfio-pci gets them beside the ids of QEMU's cards. */
  readonly vfioIds: readonly string[]
  /** Gets `modules.log`, the serial console. */
  readonly logDir: string
  readonly signal: AbortSignal
  readonly report: Reporter
  /** Id of the step the events belong to. */
  readonly step: string
  readonly limits?: GuestLimits
  readonly accelerators?: readonly Accelerator[]
}

/** A pool's life takes a minute under TCG on a loaded machine. */
const usualLimits: GuestLimits = { silenceMs: 90_000, overallMs: 600_000 }
const memoryMib = 1024

/**
 * Boots a kernel with its modules and looks whether they work: ZFS with a pool, vfio-pci on devices behind an
 * IOMMU. What does not work is a failed check, not an error.
 * @throws infra E_PROGRAM_MISSING (QEMU, kmod) | E_KERNEL_MODULE, cancelled; no QEMU stays behind
 */
export async function proveModules(options: ModulesProofOptions): Promise<ModulesProof> {
  const directory = await mkdtemp(join(tmpdir(), 'fwbuild-modules-'))
  try {
    const { plan, entries } = await prepare(options, directory)
    const initrdPath = join(directory, 'initrd')
    const userland = options.zfsUserland === undefined || !options.zfs ? [] : treeEntries(options.zfsUserland)
    const base = guestBase(await readFile(options.busyboxPath), modulesScript(plan))
    await writeFile(initrdPath, gzipSync(cpioArchive([...base, ...entries, ...userland]), { level: 1 }))
    const diskPath = join(directory, 'pool.img')
    await makePoolDisk(diskPath)
    const log = join(options.logDir, 'modules.log')
    const run = await runGuest({
      command: (accel) =>
        proofCommand({
          accel,
          topology: 'B',
          kernelPath: options.kernelPath,
          initrdPath,
          parameters: [],
          memoryMib,
          more: [
            '-drive',
            `if=none,id=pool,format=raw,file=${diskPath}`,
            '-device',
            'virtio-blk-pci,drive=pool',
          ],
        }),
      accelerators: options.accelerators ?? ((await kvmAvailable()) ? ['kvm', 'tcg'] : ['tcg']),
      limits: options.limits ?? usualLimits,
      logPath: log,
      signal: options.signal,
      onReport: (line) => reportLine(options, line),
      onFallBack: (from) =>
        options.report({
          type: 'note',
          step: options.step,
          level: 'warn',
          text: `no kernel shows with ${from} on this machine; booting without it, which is slower`,
        }),
    })
    const checks = judgeModules(plan, run.report, run.failure)
    const status = checks.some((check) => check.status === 'failed') ? 'failed' : 'passed'
    return { status, accel: run.accel, checks, durationMs: run.durationMs, log }
  } finally {
    await removeTree(directory)
  }
}

function reportLine({ report, step }: ModulesProofOptions, line: string): void {
  report({ type: 'line', step, stream: 'out', text: line })
  const item = /^(?:loaded|refused|check) (\S+)/.exec(line)?.[1]
  if (item !== undefined) report({ type: 'progress', step, progress: { item } })
}

/** What is to be loaded, and the files of it. */
async function prepare(
  options: ModulesProofOptions,
  scratch: string,
): Promise<{ readonly plan: ModulesProofPlan; readonly entries: readonly CpioEntry[] }> {
  const zfs: ZfsProof = options.zfs ? (options.zfsUserland === undefined ? 'module' : 'pool') : 'off'
  const { optional, required } = wantedModules(zfs)
  const names = [...optional, ...required]
  const files = await moduleFiles(names, options.modulesDirs, scratch, options.signal)
  const absent = files.absent.filter((name) => !optional.includes(name))
  return {
    plan: { release: options.release, modules: files.ordered, absent, zfs, vfioIds: options.vfioIds },
    entries: files.entries,
  }
}

/** A folder as it is, owned by root. */
function treeEntries({ area, dir }: NonNullable<ModulesProofOptions['zfsUserland']>): readonly CpioEntry[] {
  return area.entriesBelow(dir).flatMap((path): readonly CpioEntry[] => {
    const full = join(dir, path)
    const target = area.linkTarget(full)
    if (target !== undefined) return [{ path, type: 'symlink', target }]
    if (area.isFolder(full)) return [{ path, type: 'directory' }]
    const content = area.read(full)
    const executable = ((area.stat(full)?.mode ?? 0) & 0o111) !== 0
    return content === undefined ? [] : [{ path, type: 'file', content, executable }]
  })
}

/** A sparse disk with one partition. */
async function makePoolDisk(path: string): Promise<void> {
  const disk = await open(path, 'wx')
  try {
    await disk.write(poolDiskHead())
    await disk.truncate(poolDiskBytes)
  } finally {
    await disk.close()
  }
}
