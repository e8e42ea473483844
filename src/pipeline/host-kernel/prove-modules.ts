import { lstat, mkdtemp, open, readdir, readFile, readlink, writeFile } from 'node:fs/promises'
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
import { removeTree } from '../../effects/files.ts'
import { kvmAvailable } from '../../effects/qemu.ts'
import { moduleFiles } from './module-files.ts'
import { runGuest } from './run-guest.ts'

export interface ModulesProofOptions {
  /** bzImage. */
  readonly kernelPath: string
  /** A BusyBox that needs no library. */
  readonly busyboxPath: string
  /** `…/lib/modules/RELEASE`; several where ZFS's modules lie apart. */
  readonly modulesDirs: readonly string[]
  /** What `uname -r` has to say. */
  readonly release: string
  /** Whether ZFS's modules were built. */
  readonly zfs: boolean
  /** A root with `sbin/zpool`, `sbin/zfs` and the libraries they need; without it no pool is made. */
  readonly zfsUserlandDir?: string
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
    const userland =
      options.zfsUserlandDir === undefined || !options.zfs ? [] : await treeEntries(options.zfsUserlandDir)
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
  const zfs: ZfsProof = options.zfs ? (options.zfsUserlandDir === undefined ? 'module' : 'pool') : 'off'
  const { optional, required } = wantedModules(zfs)
  const names = [...optional, ...required]
  const files = await moduleFiles(names, options.modulesDirs, scratch, options.signal)
  const absent = files.absent.filter((name) => !optional.includes(name))
  return {
    plan: { release: options.release, modules: files.ordered, absent, zfs, vfioIds: options.vfioIds },
    entries: files.entries,
  }
}

/** A directory as it is, owned by root. */
async function treeEntries(root: string): Promise<readonly CpioEntry[]> {
  const entries: CpioEntry[] = []
  for (const path of await readdir(root, { recursive: true })) {
    const full = join(root, path)
    const stats = await lstat(full)
    if (stats.isSymbolicLink()) entries.push({ path, type: 'symlink', target: await readlink(full) })
    else if (stats.isDirectory()) entries.push({ path, type: 'directory' })
    else if (stats.isFile()) {
      const executable = (stats.mode & 0o111) !== 0
      entries.push({ path, type: 'file', content: await readFile(full), executable })
    }
  }
  return entries
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
