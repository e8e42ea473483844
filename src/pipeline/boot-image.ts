import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, mkdtemp, open, writeFile, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Accelerator, BootResult, CheckResult } from '../core/boot/boot-result.ts'
import {
  advanceBoot,
  defaultLimits,
  startBoot,
  type BootEvent,
  type BootLimits,
  type BootState,
} from '../core/boot/expectation.ts'
import { guestChecks, type GuestShare } from '../core/boot/guest-checks.ts'
import { looksStarved } from '../core/boot/starved.ts'
import { cancelledError } from '../core/errors.ts'
import type { Reporter } from '../core/events.ts'
import type { Hypervisor, ImageFormat } from '../core/image/formats.ts'
import type { Firmware } from '../core/image/image-names.ts'
import { proofDisk, proofVm } from '../core/vm/proof-vm.ts'
import { qemuCommand } from '../core/vm/qemu-arguments.ts'
import type { NinePShare, VmFirmware } from '../core/vm/vm-definition.ts'
import { giveBeneath } from '../effects/beneath/give.ts'
import { readTextBeneath } from '../effects/beneath/read.ts'
import { removeBeneath } from '../effects/beneath/remove.ts'
import type { BuildUser } from '../effects/engine.ts'
import { handedFile, kvmAvailable, prepareOvmf, startMachine, type OvmfFiles } from '../effects/qemu.ts'

export interface BootProofOptions {
  /** Raw, qcow2, vhdx, vmdk, vpc or vdi; never written to. */
  readonly imagePath: string
  readonly format: ImageFormat
  readonly firmware: Firmware
  /** Whose drivers have to bind; the virtio set is always looked at. */
  readonly hypervisors: readonly Hypervisor[]
  /** Offer a 9p share and have a file read and one written through it. */
  readonly share9p: boolean
  readonly logPath: string
  readonly signal?: AbortSignal
  /** Who runs QEMU where root runs fwbuild. */
  readonly as?: BuildUser
  readonly report: Reporter
  /** Id of the step the events belong to. */
  readonly step: string
  readonly limits?: Partial<BootLimits>
  /** To be tried in order, going on while one shows no kernel; default: KVM where it looks real, then TCG. */
  readonly accelerators?: readonly Accelerator[]
  /** Instead of the usual places. */
  readonly ovmf?: readonly OvmfFiles[]
}

const shareTag = 'hostshare'
const tickMs = 200
/** So many times longer than on an idle machine may a boot take. */
const longestStretch = 4

/**
 * Boots an image in QEMU and checks over the serial console that it works. A failed boot is a
 * result, not an error.
 * @throws infra E_PROGRAM_MISSING (no QEMU) | E_OVMF_MISSING, cancelled; no QEMU stays behind
 */
export async function proveBoot(options: BootProofOptions): Promise<BootResult> {
  const directory = await mkdtemp(join(tmpdir(), 'fwbuild-boot-'))
  try {
    const accelerators = options.accelerators ?? (await usableAccelerators(options))
    for (const accel of accelerators.slice(0, -1)) {
      const attempt = await bootOnce(options, accel, directory)
      if (!attempt.acceleratorSilent) return attempt.result
      options.report({
        type: 'note',
        step: options.step,
        level: 'warn',
        text: `no kernel shows with ${accel} on this machine; booting again without it, which is slower`,
      })
    }
    const last = accelerators.at(-1) ?? 'tcg'
    const { result } = await bootOnce(options, last, directory)
    if (!looksStarved(result)) return result
    options.report({
      type: 'note',
      step: options.step,
      level: 'warn',
      text: 'this machine was too busy for the guest’s timer; booting again',
    })
    return (await bootOnce(options, last, directory)).result
  } finally {
    await removeBeneath(dirname(directory), basename(directory))
  }
}

async function usableAccelerators(options: BootProofOptions): Promise<readonly Accelerator[]> {
  if (await kvmAvailable(options.as)) return ['kvm', 'tcg']
  if (await kvmAvailable()) {
    const text = `QEMU runs as user ${options.as?.uid}, who may not use /dev/kvm, so it goes without, which is slower`
    options.report({ type: 'note', step: options.step, level: 'warn', text })
  }
  return ['tcg']
}

async function bootOnce(
  options: BootProofOptions,
  accel: Accelerator,
  directory: string,
): Promise<{ readonly result: BootResult; readonly acceleratorSilent: boolean }> {
  const startedMs = performance.now()
  // All that QEMU may write to; it is its current directory, so it needs no way to it.
  const place = await mkdtemp(join(directory, 'run-'))
  const share = options.share9p ? await makeShare(place) : undefined
  const shares = share === undefined ? [] : [share]
  const firmware = await firmwareOf(options, place)
  if (options.as !== undefined) await giveBeneath(directory, basename(place), options.as, options.signal)
  const vm = {
    ...proofVm({ ...options, imagePath: handedFile(0), accel, firmware, shares }),
    name: `fwbuild-proof of ${options.imagePath}`,
  }
  const checks = guestChecks({ ...options, expectedDisk: proofDisk, shares })
  const script = { accel, checks, limits: { ...defaultLimits[accel], ...options.limits } }
  const state = await driveMachine(qemuCommand(vm), script, { ...options, place })
  const results = [
    ...state.results,
    ...(share === undefined ? [] : [shareSeenFromHost(share, place, state.results)]),
    ...unprovable(options.hypervisors),
  ]
  const result: BootResult = {
    status: results.some((check) => check.status === 'failed') ? 'failed' : 'passed',
    firmware: options.firmware,
    accel,
    checks: results,
    durationMs: Math.round(performance.now() - startedMs),
    serialLog: options.logPath,
  }
  return { result, acceleratorSilent: state.acceleratorSilent }
}

async function firmwareOf(options: BootProofOptions, place: string): Promise<VmFirmware> {
  if (options.firmware === 'bios') return { type: 'bios' }
  const varsPath = 'vars.fd'
  const { codePath } = await prepareOvmf(join(place, varsPath), options.ovmf)
  return { type: 'uefi', codePath, varsPath }
}

/** Connects the running machine to the expectation; returns its last state, QEMU gone. */
async function driveMachine(
  command: readonly string[],
  script: Parameters<typeof advanceBoot>[0],
  options: BootProofOptions & { readonly place: string },
): Promise<BootState> {
  let starvedMs: () => number = () => 0
  // The guest's limits are for a guest that runs: time in which it got no processor does not count,
  // up to a bound, so that a guest that hangs is told within reasonable time on any machine.
  const beganMs = performance.now()
  let atMs = beganMs
  const clock = (): number => {
    const elapsedMs = performance.now() - beganMs
    const ownMs = Math.max(elapsedMs - starvedMs(), elapsedMs / longestStretch)
    return (atMs = Math.max(atMs, beganMs + ownMs))
  }
  let state = startBoot(atMs)
  let send: (text: string) => void = () => {}
  const feed = (event: BootEvent): void => {
    const before = state
    const step = advanceBoot(script, state, event)
    state = step.state
    reportProgress(options, before, state, script.checks.length)
    if (step.send !== undefined) send(step.send)
  }
  await using image = await openImage(options.imagePath)
  const machine = await startMachine(command, {
    logPath: options.logPath,
    onSerial: (text) => feed({ type: 'serial', text, atMs: clock() }),
    cwd: options.place,
    files: [image.fd],
    ...(options.as === undefined ? {} : { as: options.as }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  send = machine.send
  starvedMs = machine.starvedMs
  try {
    const exit = machine.exited.then((exited) => {
      feed({ type: 'exit', ...exited, atMs: clock() })
    })
    // Looked at in the loop only; an abort that comes later is seen below.
    exit.catch(() => {})
    while (state.phase !== 'ended') {
      await Promise.race([exit, sleep(tickMs)])
      feed({ type: 'tick', atMs: clock() })
    }
    if (options.signal?.aborted === true) throw cancelledError()
  } finally {
    await machine.stop()
  }
  return state
}

const openImage = (path: string): Promise<FileHandle> => open(path, constants.O_RDONLY | constants.O_NONBLOCK)

function reportProgress(
  options: BootProofOptions,
  before: BootState,
  after: BootState,
  checks: number,
): void {
  // The console marker comes before the guest's checks, the look at the kernel log after them.
  const total = checks + 2
  for (let done = before.results.length + 1; done <= after.results.length; done += 1) {
    const item = after.results[done - 1]?.name ?? ''
    options.report({ type: 'progress', step: options.step, progress: { item, done, total } })
  }
}

interface PreparedShare extends NinePShare, GuestShare {}

const shareFolder = 'share'

async function makeShare(place: string): Promise<PreparedShare> {
  const hostToken = randomBytes(8).toString('hex')
  await mkdir(join(place, shareFolder))
  await writeFile(join(place, shareFolder, 'from-host'), `${hostToken}\n`)
  return { tag: shareTag, path: shareFolder, hostToken, guestToken: randomBytes(8).toString('hex') }
}

function shareSeenFromHost(
  share: PreparedShare,
  place: string,
  results: readonly CheckResult[],
): CheckResult {
  const name = `share-${share.tag}-on-host`
  const inGuest = results.find((check) => check.name === `share-${share.tag}`)
  if (inGuest?.status !== 'passed') {
    return { name, status: 'not-run', detail: 'the guest did not use the share' }
  }
  const written = fromGuest(place)
  if (written?.trim() === share.guestToken) {
    return { name, status: 'passed', detail: "the guest's file has arrived on the host" }
  }
  const detail =
    written === undefined ? "the guest's file is not there" : "the guest's file has other content"
  return { name, status: 'failed', detail }
}

/** The guest may have put anything there: a link of its making is not followed on this machine. */
function fromGuest(place: string): string | undefined {
  try {
    return readTextBeneath(place, `${shareFolder}/from-guest`, 4096)
  } catch {
    return undefined
  }
}

/** Hypervisors whose devices plain QEMU cannot show; the final kernel configuration speaks for them. */
function unprovable(hypervisors: readonly Hypervisor[]): readonly CheckResult[] {
  return hypervisors
    .filter((hypervisor) => hypervisor === 'hyperv' || hypervisor === 'xen')
    .map((hypervisor) => ({
      name: `${hypervisor}-drivers`,
      status: 'not-run',
      detail: `needs real KVM with ${hypervisor === 'xen' ? 'Xen' : 'VMBus'} emulation; booted on virtio devices instead`,
    }))
}
