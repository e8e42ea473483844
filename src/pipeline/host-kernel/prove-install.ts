import { existsSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Accelerator, CheckResult } from '../../core/boot/boot-result.ts'
import type { GuestLimits } from '../../core/boot/guest-report.ts'
import { messageOf } from '../../core/errors.ts'
import type { Reporter } from '../../core/events.ts'
import { installMachineCommand } from '../../core/host/install-machine.ts'
import {
  installBoots,
  judgeInstallBoot,
  notReached,
  prepareBoot,
  proofInitPath,
  proofMachineFiles,
  type InstallBoot,
  type InstallProof,
  type InstallProofPlan,
} from '../../core/host/install-proof.ts'
import { fingerprintOf } from '../../core/step-record.ts'
import type { AptSettings } from '../../effects/apt-settings.ts'
import { bootstrapTool } from '../../effects/debian-bootstrap.ts'
import { makeDebianDisk, makeFolderDisk, type DebianDisk } from '../../effects/debian-disk.ts'
import { removeTree } from '../../effects/files.ts'
import { runProcess } from '../../effects/process.ts'
import { kvmAvailable } from '../../effects/qemu.ts'
import { runGuest } from './run-guest.ts'

export interface InstallProofOptions extends InstallProofPlan {
  /** Holds `install.sh`, `sha256sums` and the packages that they name. */
  readonly folder: string
  readonly cpuVendor: 'intel' | 'amd' | 'other'
  /** Code name of the Debian that the packages go into; not older than the one they were built on. */
  readonly suite: string
  readonly aptSettings: AptSettings
  /** Keeps the system's disk for the next time. */
  readonly cacheDir: string
  /** Gets `install-NAME.log`, the serial console of each boot. */
  readonly logDir: string
  readonly signal: AbortSignal
  readonly report: Reporter
  /** Id of the step the events belong to. */
  readonly step: string
  readonly limits?: GuestLimits
  readonly accelerators?: readonly Accelerator[]
}

/** Installing makes an initramfs twice, which is slow under emulation on a busy machine. */
const usualLimits: GuestLimits = { silenceMs: 120_000, overallMs: 1_200_000 }
const diskBytes = 3 * 1024 ** 3

/** The previous kernel, what it needs to boot by GRUB, and libraries that the packages depend on. */
const systemPackages = (suite: string): readonly string[] => [
  'e2fsprogs',
  'grub-pc',
  'initramfs-tools',
  'kmod',
  'linux-image-cloud-amd64',
  ...(['bullseye', 'bookworm'].includes(suite) ? ['libelf1', 'libssl3'] : ['libelf1t64', 'libssl3t64']),
]

/**
 * Installs the packages by their own `install.sh` into a Debian system that boots in QEMU by its own GRUB, boots
 * what they promise, and takes them out again. What does not work is a failed check, not an error.
 * @returns `not-run` with the reason where this machine cannot make such a system
 * @throws infra E_PROGRAM_MISSING (QEMU), cancelled; no QEMU and no mount stays behind
 */
export async function proveInstall(options: InstallProofOptions): Promise<InstallProof> {
  const startedMs = performance.now()
  const accelerators = options.accelerators ?? ((await kvmAvailable()) ? ['kvm', 'tcg'] : ['tcg'])
  const proof = new Proof(options, accelerators)
  const reason = bootstrapTool() === 'debootstrap' ? undefined : 'needs root and debootstrap'
  if (reason !== undefined) return notRun(reason, startedMs)
  // A killed run could not remove its disks; gigabytes are not for /tmp, which is memory on many machines.
  const scratch = join(options.cacheDir, 'scratch')
  await removeTree(scratch)
  await mkdir(scratch, { recursive: true })
  try {
    const base = await baseDisk(options, proof, scratch)
    if (!base.made) return { ...notRun(base.reason, startedMs), logs: proof.logs }
    const disk = join(scratch, 'system.img')
    await runProcess(['cp', '--sparse=always', '--reflink=auto', base.path, disk], { signal: options.signal })
    const packages = join(scratch, 'packages.img')
    await makeFolderDisk(packages, options.folder, options.signal)
    const checks: CheckResult[] = []
    const boots = installBoots(options)
    for (const [index, boot] of boots.entries()) {
      const results = await proof.boot(boot, { disks: [disk, packages], scratch })
      checks.push(...results)
      if (results.every(({ status }) => status === 'passed')) continue
      checks.push(...notReached(boots.slice(index + 1)))
      break
    }
    return {
      status: checks.every(({ status }) => status === 'passed') ? 'passed' : 'failed',
      previous: checks.find(({ name }) => name === 'own-grub')?.detail ?? null,
      accel: proof.accel,
      checks,
      durationMs: Math.round(performance.now() - startedMs),
      logs: proof.logs,
    }
  } finally {
    await removeTree(scratch)
  }
}

const notRun = (reason: string, startedMs: number): InstallProof => ({
  status: 'not-run',
  previous: null,
  accel: null,
  checks: [{ name: 'install', status: 'not-run', detail: reason }],
  durationMs: Math.round(performance.now() - startedMs),
  logs: [],
})

interface BootPlace {
  readonly disks: readonly string[]
  readonly scratch: string
  readonly direct?: DebianDisk
}

/** Boots one after the other, with the accelerator that worked. */
class Proof {
  readonly logs: string[] = []
  readonly #options: InstallProofOptions
  #accelerators: readonly Accelerator[]

  constructor(options: InstallProofOptions, accelerators: readonly Accelerator[]) {
    this.#options = options
    this.#accelerators = accelerators
  }

  get accel(): Accelerator {
    return this.#accelerators[0] ?? 'tcg'
  }

  async boot(boot: InstallBoot, place: BootPlace): Promise<readonly CheckResult[]> {
    const { logDir, limits, report, signal, step, cpuVendor } = this.#options
    const script = join(place.scratch, 'script')
    // A disk has whole sectors.
    await writeFile(script, boot.script.padEnd(Math.ceil(boot.script.length / 512) * 512, '\n'))
    const disks = place.disks.length === 1 ? [...place.disks, script, script] : [...place.disks, script]
    const logPath = join(logDir, `install-${boot.name}.log`)
    this.logs.push(logPath)
    report({ type: 'progress', step, progress: { item: `install: ${boot.title}` } })
    const run = await runGuest({
      command: (accel) =>
        installMachineCommand({
          accel,
          iommu: cpuVendor === 'amd' ? 'amd-iommu' : 'intel-iommu',
          disks,
          ...(place.direct === undefined
            ? {}
            : { direct: { ...place.direct, parameters: directParameters } }),
        }),
      accelerators: this.#accelerators,
      limits: limits ?? usualLimits,
      logPath,
      signal,
      onReport: (text) => report({ type: 'line', step, stream: 'out', text }),
      onFallBack: (from) =>
        report({
          type: 'note',
          step,
          level: 'warn',
          text: `no kernel shows with ${from} on this machine; booting without it, which is slower`,
        }),
    })
    this.#accelerators = [run.accel, ...this.#accelerators.filter((each) => each !== run.accel)]
    return judgeInstallBoot(boot, run.report, run.failure)
  }
}

const directParameters = [
  'root=/dev/vda1',
  'ro',
  'console=ttyS0,115200',
  'panic=-1',
  'no_timer_check',
  `init=${proofInitPath}`,
]

type BaseDisk =
  | { readonly made: true; readonly path: string }
  | { readonly made: false; readonly reason: string }

/** The system before anything is installed: made once, and used again while nothing it is made of changes. */
async function baseDisk(options: InstallProofOptions, proof: Proof, scratch: string): Promise<BaseDisk> {
  const { suite, aptSettings, cacheDir, signal, report, step } = options
  const include = systemPackages(suite)
  const inputs = {
    suite,
    include: [...include],
    files: proofMachineFiles.map((file) => ({ ...file })),
    diskBytes,
  }
  const path = join(cacheDir, `system-${suite}-${fingerprintOf(1, inputs).slice(0, 12)}.img`)
  if (existsSync(path)) return { made: true, path }
  const made = join(scratch, 'base.img')
  report({ type: 'progress', step, progress: { item: `install: a Debian ${suite} is made` } })
  let direct: DebianDisk
  try {
    direct = await makeDebianDisk(made, diskBytes, {
      suite,
      include,
      early: proofMachineFiles,
      mirrors: aptSettings.mirrors,
      settings: aptSettings,
      scratchDir: join(cacheDir, 'new'),
      signal,
      onLine: (text) => report({ type: 'line', step, stream: 'out', text }),
    })
  } catch (error) {
    // No mirror, no space: the packages are not to blame.
    if (signal.aborted) throw error
    return { made: false, reason: `no Debian system could be made: ${messageOf(error)}` }
  }
  const checks = await proof.boot(prepareBoot, { disks: [made], scratch, direct })
  const failed = checks.find(({ status }) => status !== 'passed')
  if (failed !== undefined) return { made: false, reason: `GRUB did not go to its disk: ${failed.detail}` }
  const temporary = `${path}.new`
  await runProcess(['cp', '--sparse=always', '--reflink=auto', made, temporary], { signal })
  await rename(temporary, path)
  return { made: true, path }
}
