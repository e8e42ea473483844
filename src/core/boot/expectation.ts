import type { Accelerator, CheckResult } from './boot-result.ts'
import type { GuestCheck } from './guest-checks.ts'
import { failureIn } from './serial-failures.ts'
import { addSerial, emptySerialText, type SerialText } from './serial-text.ts'

/*
 * A boot as a state machine: serial output and time go in, keystrokes and a verdict come out.
 *
 *   booting ──marker──► activating ──prompt──► checking ──last check──► powering-off ──exit──► ended
 *      └──────── failure line, exit, time-out: straight to ended (after the failure's grace) ────┘
 */

export interface BootLimits {
  /** No serial output at all, or under KVM none from the kernel: the accelerator does not work. */
  readonly silenceMs: number
  /** From power-on to the console marker. */
  readonly consoleMs: number
  /** From the marker to a prompt. */
  readonly promptMs: number
  /** One command. */
  readonly commandMs: number
  /** At most so long is any check repeated. */
  readonly retryMs: number
  readonly powerOffMs: number
  readonly overallMs: number
}

/** KVM that stays silent this long is none: measured on machines with a decoy /dev/kvm. */
export const defaultLimits: Readonly<Record<Accelerator, BootLimits>> = {
  kvm: {
    silenceMs: 15_000,
    consoleMs: 120_000,
    promptMs: 30_000,
    commandMs: 20_000,
    retryMs: 60_000,
    powerOffMs: 10_000,
    overallMs: 300_000,
  },
  tcg: {
    silenceMs: 90_000,
    consoleMs: 300_000,
    promptMs: 60_000,
    commandMs: 30_000,
    retryMs: 120_000,
    powerOffMs: 20_000,
    overallMs: 600_000,
  },
}

export interface BootScript {
  readonly accel: Accelerator
  readonly checks: readonly GuestCheck[]
  readonly limits: BootLimits
}

export type BootEvent =
  | { readonly type: 'serial'; readonly text: string; readonly atMs: number }
  | { readonly type: 'tick'; readonly atMs: number }
  | { readonly type: 'exit'; readonly exitCode: number; readonly stderr: string; readonly atMs: number }

export type BootPhase = 'booting' | 'activating' | 'checking' | 'powering-off' | 'ended'

export interface BootState {
  readonly phase: BootPhase
  readonly startedMs: number
  readonly phaseSinceMs: number
  readonly lastOutputMs: number
  readonly sawKernel: boolean
  readonly serial: SerialText
  readonly results: readonly CheckResult[]
  /** A failure that was seen and whose grace runs. */
  readonly doomed:
    | { readonly detail: string; readonly atMs: number; readonly recoverable: boolean }
    | undefined
  /** The command that runs, or, without `id`, waits to be repeated. */
  readonly command: { readonly id: number | undefined; readonly sinceMs: number } | undefined
  readonly checkSinceMs: number
  readonly commandCount: number
  /** KVM gave no sign of a kernel: run again without it. */
  readonly acceleratorSilent: boolean
}

export interface BootStep {
  readonly state: BootState
  /** To be written to the serial line. */
  readonly send?: string
}

const consoleMarker = 'Please press Enter to activate this console.'
const prompt = /root@[^\s#$]*[#$]/
const kernelLine = /^\[ *\d+\.\d{6}\] /m
/** The last check: what the console itself reported up to then. */
const kernelLogCheck = 'kernel-log'
const repeatEnterMs = 5000
const repeatCheckMs = 2000
/** A prompt that kernel messages cut into pieces is taken as given after this long. */
const promptDelayMs = 1000

export const startBoot = (atMs: number): BootState => ({
  phase: 'booting',
  startedMs: atMs,
  phaseSinceMs: atMs,
  lastOutputMs: atMs,
  sawKernel: false,
  serial: emptySerialText,
  results: [],
  doomed: undefined,
  command: undefined,
  checkSinceMs: atMs,
  commandCount: 0,
  acceleratorSilent: false,
})

/** Takes one event; times are milliseconds of one monotonic clock. */
export function advanceBoot(script: BootScript, state: BootState, event: BootEvent): BootStep {
  if (state.phase === 'ended') return { state }
  if (event.type === 'exit') return { state: onExit(script, state, event) }
  if (event.type === 'tick') return onTick(script, state, event.atMs)
  return onSerial(script, state, event.text, event.atMs)
}

function onSerial(script: BootScript, before: BootState, text: string, atMs: number): BootStep {
  const { serial, lines } = addSerial(before.serial, text)
  let state: BootState = {
    ...before,
    serial,
    lastOutputMs: atMs,
    sawKernel: before.sawKernel || lines.some((line) => kernelLine.test(line)),
  }
  if (state.phase !== 'powering-off')
    state = lines.reduce((seen, line) => noteFailure(seen, line, atMs), state)
  if (state.phase === 'booting' && state.serial.recent.includes(consoleMarker)) return activate(state, atMs)
  if (state.phase === 'activating' && prompt.test(state.serial.recent)) {
    return runCheck(script, { ...state, checkSinceMs: atMs }, atMs)
  }
  if (state.phase === 'checking') return readAnswer(script, state, atMs)
  return { state }
}

/** The first failure counts; a line that came in pieces completes what was noted of its beginning. */
function noteFailure(state: BootState, line: string, atMs: number): BootState {
  const found = failureIn(line)
  if (found === undefined) return state
  const { failure, text } = found
  const detail = `${failure.meaning}: ${text}`
  if (state.doomed !== undefined) {
    return detail.startsWith(state.doomed.detail) ? { ...state, doomed: { ...state.doomed, detail } } : state
  }
  return { ...state, doomed: { detail, atMs: atMs + failure.graceMs, recoverable: failure.recoverable } }
}

function activate(state: BootState, atMs: number): BootStep {
  const seconds = ((atMs - state.startedMs) / 1000).toFixed(1)
  return {
    state: {
      ...state,
      phase: 'activating',
      phaseSinceMs: atMs,
      serial: { ...state.serial, recent: '' },
      doomed: state.doomed?.recoverable === true ? undefined : state.doomed,
      command: { id: undefined, sinceMs: atMs },
      results: [{ name: 'console', status: 'passed', detail: `console marker after ${seconds} s` }],
    },
    send: '\n',
  }
}

function runCheck(script: BootScript, state: BootState, atMs: number): BootStep {
  const check = nextCheck(script, state)
  if (check === undefined) return powerOff(state, atMs)
  const id = state.commandCount + 1
  return {
    state: {
      ...state,
      phase: 'checking',
      phaseSinceMs: state.phase === 'checking' ? state.phaseSinceMs : atMs,
      commandCount: id,
      command: { id, sinceMs: atMs },
      serial: { ...state.serial, recent: '' },
    },
    // The quotes keep the shell's echo of the line from looking like its output.
    send: `echo "fwb<"b${id}">"; ${check.command}; echo "fwb<"e${id}:$?">"\n`,
  }
}

function powerOff(state: BootState, atMs: number): BootStep {
  const log: CheckResult =
    state.doomed === undefined
      ? { name: kernelLogCheck, status: 'passed', detail: 'no error on the console' }
      : { name: kernelLogCheck, status: 'failed', detail: state.doomed.detail }
  return {
    state: {
      ...state,
      phase: 'powering-off',
      phaseSinceMs: atMs,
      command: undefined,
      doomed: undefined,
      results: [...state.results, log],
    },
    send: 'poweroff\n',
  }
}

const nextCheck = (script: BootScript, state: BootState): GuestCheck | undefined =>
  script.checks[state.results.length - 1]

function readAnswer(script: BootScript, state: BootState, atMs: number): BootStep {
  const id = state.command?.id
  const check = nextCheck(script, state)
  if (id === undefined || check === undefined) return { state }
  const { recent } = state.serial
  const begin = `fwb<b${id}>`
  const start = recent.lastIndexOf(begin)
  const end = new RegExp(`fwb<e${id}:(\\d+)>`).exec(recent)
  if (start < 0 || end === null) return { state }
  // What is typed before the prompt is there can be echoed twice or get lost.
  const ready = prompt.test(recent.slice(end.index)) || atMs - state.lastOutputMs >= promptDelayMs
  if (!ready) return { state }
  const output = withoutKernelMessages(recent.slice(start + begin.length, end.index))
  const judgement = check.judge(output, Number(end[1]))
  if (!judgement.passed && judgement.final !== true && mayRetry(script, state, check, atMs)) {
    return { state: { ...state, command: { id: undefined, sinceMs: atMs } } }
  }
  return settle(script, state, { name: check.name, ...asResult(judgement) }, atMs)
}

const mayRetry = (script: BootScript, state: BootState, check: GuestCheck, atMs: number): boolean =>
  atMs - state.checkSinceMs < Math.min(check.retryForMs, script.limits.retryMs)

const asResult = (judgement: { passed: boolean; detail: string }): Omit<CheckResult, 'name'> => ({
  status: judgement.passed ? 'passed' : 'failed',
  detail: judgement.detail,
})

const withoutKernelMessages = (output: string): string =>
  output
    .split('\n')
    .filter((line) => !kernelLine.test(line))
    .join('\n')
    .trim()

/** Records a check and goes on with the next: one failed check does not hide the others. */
function settle(script: BootScript, state: BootState, result: CheckResult, atMs: number): BootStep {
  return runCheck(script, { ...state, results: [...state.results, result], checkSinceMs: atMs }, atMs)
}

function onTick(script: BootScript, state: BootState, atMs: number): BootStep {
  const { limits } = script
  if (state.doomed !== undefined && atMs >= state.doomed.atMs) {
    return { state: end(script, state, state.doomed.detail) }
  }
  if (atMs - state.startedMs >= limits.overallMs && state.phase !== 'powering-off') {
    return { state: end(script, state, `not finished after ${limits.overallMs / 1000} s`) }
  }
  const inPhaseMs = atMs - state.phaseSinceMs
  switch (state.phase) {
    case 'booting':
      return { state: bootingTick(script, state, atMs) }
    case 'activating':
      return activatingTick(script, state, atMs)
    case 'checking':
      return checkingTick(script, state, atMs)
    case 'powering-off':
      return { state: inPhaseMs >= limits.powerOffMs ? { ...state, phase: 'ended' } : state }
    case 'ended':
      return { state }
  }
}

function bootingTick(script: BootScript, state: BootState, atMs: number): BootState {
  const { limits, accel } = script
  const silentMs = atMs - state.lastOutputMs
  const silent = silentMs >= limits.silenceMs && !state.sawKernel
  if (accel === 'kvm' && silent)
    return { ...end(script, state, 'KVM shows no kernel'), acceleratorSilent: true }
  if (silent && state.lastOutputMs === state.startedMs) {
    return end(script, state, `no output on the serial line for ${limits.silenceMs / 1000} s`)
  }
  if (atMs - state.startedMs < limits.consoleMs) return state
  const last = state.serial.lastLine
  return end(
    script,
    state,
    `no console after ${limits.consoleMs / 1000} s; last line: ${last === '' ? '(none)' : last}`,
  )
}

function activatingTick(script: BootScript, state: BootState, atMs: number): BootStep {
  if (atMs - state.phaseSinceMs >= script.limits.promptMs) {
    const detail = `no shell prompt within ${script.limits.promptMs / 1000} s of the console marker`
    return { state: end(script, state, detail) }
  }
  // A key pressed before the console listens is lost.
  if (atMs - (state.command?.sinceMs ?? 0) < repeatEnterMs) return { state }
  return { state: { ...state, command: { id: undefined, sinceMs: atMs } }, send: '\n' }
}

function checkingTick(script: BootScript, state: BootState, atMs: number): BootStep {
  const check = nextCheck(script, state)
  const { command } = state
  if (command === undefined || check === undefined) return { state }
  const waitedMs = atMs - command.sinceMs
  if (command.id === undefined) {
    return waitedMs < repeatCheckMs ? { state } : runCheck(script, state, atMs)
  }
  if (waitedMs < script.limits.commandMs) return readAnswer(script, state, atMs)
  const detail = `the guest did not answer within ${script.limits.commandMs / 1000} s`
  const next = mayRetry(script, state, check, atMs)
    ? runCheck(script, state, atMs)
    : settle(script, state, { name: check.name, status: 'failed', detail }, atMs)
  // Interrupts whatever hangs, so that the shell reads the next line.
  return { ...next, send: `\u0003\n${next.send ?? ''}` }
}

function onExit(
  script: BootScript,
  state: BootState,
  event: { readonly exitCode: number; readonly stderr: string },
): BootState {
  if (state.phase === 'powering-off') return { ...state, phase: 'ended' }
  if (state.doomed !== undefined) return end(script, state, state.doomed.detail)
  const reason = event.stderr.trim().split('\n').slice(-3).join('; ')
  const detail =
    event.exitCode === 0
      ? 'the guest rebooted or switched itself off'
      : `QEMU ended with exit code ${event.exitCode}: ${reason === '' ? 'no message' : reason}`
  const acceleratorSilent = script.accel === 'kvm' && event.exitCode !== 0 && state.phase === 'booting'
  return { ...end(script, state, detail), acceleratorSilent }
}

/** Ends a boot that failed: the step it was at gets the reason, later ones did not run. */
function end(script: BootScript, state: BootState, detail: string): BootState {
  const names = ['console', ...script.checks.map((check) => check.name), kernelLogCheck]
  const results = [...state.results]
  const reached = names[results.length]
  if (reached === undefined) return { ...state, phase: 'ended', results }
  results.push({ name: reached, status: 'failed', detail })
  for (const name of names.slice(results.length)) {
    results.push({ name, status: 'not-run', detail: 'the boot had ended before' })
  }
  return { ...state, phase: 'ended', results }
}
