import { setTimeout as sleep } from 'node:timers/promises'
import type { Accelerator } from '../../core/boot/boot-result.ts'
import {
  advanceGuest,
  startGuest,
  type GuestEvent,
  type GuestLimits,
  type GuestState,
} from '../../core/boot/guest-report.ts'
import { cancelledError } from '../../core/errors.ts'
import { startMachine } from '../../effects/qemu.ts'

export interface GuestRun {
  /** What the guest told, line by line. */
  readonly report: readonly string[]
  /** Why it did not come to its end; undefined where it did. */
  readonly failure: string | undefined
  /** The one that worked, to be used from now on. */
  readonly accel: Accelerator
  readonly durationMs: number
}

const tickMs = 100

/**
 * Runs a guest that reports on its serial line (core/boot/guest-report.ts) until its last line, a failure or a
 * time limit. A guest that fails is a result, not an error.
 * @param options.accelerators to be tried in order, going on while one shows no kernel
 * @throws infra E_PROGRAM_MISSING (no QEMU), cancelled; no QEMU stays behind
 */
export async function runGuest(options: {
  readonly command: (accel: Accelerator) => readonly string[]
  readonly accelerators: readonly Accelerator[]
  readonly limits: GuestLimits
  readonly logPath: string
  readonly signal: AbortSignal
  /** Called for each line as it comes. */
  readonly onReport?: (line: string) => void
  readonly onFallBack: (from: Accelerator) => void
}): Promise<GuestRun> {
  const startedMs = performance.now()
  const [accel = 'tcg', ...others] = options.accelerators
  const state = await driveGuest(options, accel)
  const { outcome, report } = state
  if (outcome?.finished === false && outcome.acceleratorSilent && others.length > 0) {
    options.onFallBack(accel)
    return runGuest({ ...options, accelerators: others })
  }
  return {
    report,
    failure: outcome?.finished === false ? outcome.detail : undefined,
    accel,
    durationMs: Math.round(performance.now() - startedMs),
  }
}

async function driveGuest(
  options: Omit<Parameters<typeof runGuest>[0], 'accelerators' | 'onFallBack'>,
  accel: Accelerator,
): Promise<GuestState> {
  const run = { kvm: accel === 'kvm', limits: options.limits }
  let state = startGuest(performance.now())
  const feed = (event: GuestEvent): void => {
    const before = state.report.length
    state = advanceGuest(run, state, event)
    for (const line of state.report.slice(before)) options.onReport?.(line)
  }
  const machine = await startMachine(options.command(accel), {
    logPath: options.logPath,
    onSerial: (text) => feed({ type: 'serial', text, atMs: performance.now() }),
    signal: options.signal,
  })
  try {
    const exit = machine.exited.then((exited) => {
      feed({ type: 'exit', ...exited, atMs: performance.now() })
    })
    // Looked at in the loop only; an abort that comes later is seen below.
    exit.catch(() => {})
    while (state.outcome === undefined) {
      await Promise.race([exit, sleep(tickMs)])
      feed({ type: 'tick', atMs: performance.now() })
    }
    if (options.signal.aborted) throw cancelledError()
  } finally {
    await machine.stop()
  }
  return state
}
