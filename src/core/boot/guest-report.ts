import { failureIn } from './serial-failures.ts'
import { addSerial, emptySerialText, type SerialText } from './serial-text.ts'

/*
 * A guest that works through a script of its own and tells of it on the serial line, in lines that
 * kernel messages cannot be taken for: `fwb|TEXT|`; the last is `fwb|end|`.
 */

export interface GuestLimits {
  /** No output at all, or under KVM none from the kernel: the accelerator does not work. */
  readonly silenceMs: number
  readonly overallMs: number
}

export type GuestEvent =
  | { readonly type: 'serial'; readonly text: string; readonly atMs: number }
  | { readonly type: 'tick'; readonly atMs: number }
  | { readonly type: 'exit'; readonly exitCode: number; readonly stderr: string; readonly atMs: number }

export interface GuestState {
  readonly startedMs: number
  readonly lastOutputMs: number
  readonly sawKernel: boolean
  readonly serial: SerialText
  /** What the guest told so far, without the frame. */
  readonly report: readonly string[]
  /** A failure that was seen, until the rest of its message has come. */
  readonly doomed: { readonly detail: string; readonly atMs: number } | undefined
  readonly outcome: GuestOutcome | undefined
}

export type GuestOutcome =
  | { readonly finished: true }
  | {
      readonly finished: false
      readonly detail: string
      /** KVM gave no sign of a kernel: run again without it. */
      readonly acceleratorSilent: boolean
    }

const frame = /fwb\|(.*)\|$/
const endOfReport = 'end'
const kernelLine = /^\[ *\d+\.\d{6}\] /

/** Shell function that frames its arguments; for the head of a guest's script. */
export const sayFunction = 'say() { echo "fwb|$*|"; }'

export const startGuest = (atMs: number): GuestState => ({
  startedMs: atMs,
  lastOutputMs: atMs,
  sawKernel: false,
  serial: emptySerialText,
  report: [],
  doomed: undefined,
  outcome: undefined,
})

/** Takes one event; times are milliseconds of one monotonic clock. */
export function advanceGuest(
  run: { readonly kvm: boolean; readonly limits: GuestLimits },
  state: GuestState,
  event: GuestEvent,
): GuestState {
  if (state.outcome !== undefined) return state
  switch (event.type) {
    case 'serial':
      return onSerial(state, event.text, event.atMs)
    case 'tick':
      return onTick(run, state, event.atMs)
    case 'exit':
      return onExit(run.kvm, state, event.exitCode, event.stderr)
  }
}

function onSerial(before: GuestState, text: string, atMs: number): GuestState {
  const { serial, lines } = addSerial(before.serial, text)
  let state: GuestState = { ...before, serial, lastOutputMs: atMs }
  const finished = lines.slice(0, -1)
  for (const line of finished) {
    const told = frame.exec(line)?.[1]
    if (told === endOfReport) return { ...state, outcome: { finished: true } }
    if (told !== undefined) state = { ...state, report: [...state.report, told], sawKernel: true }
    else if (kernelLine.test(line)) state = { ...state, sawKernel: true }
    state = told === undefined ? noteFailure(state, line, atMs) : state
  }
  return state
}

function noteFailure(state: GuestState, line: string, atMs: number): GuestState {
  const found = failureIn(line)
  if (found === undefined || state.doomed !== undefined) return state
  const { failure, text } = found
  return { ...state, doomed: { detail: `${failure.meaning}: ${text}`, atMs: atMs + failure.graceMs } }
}

function onTick(
  { kvm, limits }: { readonly kvm: boolean; readonly limits: GuestLimits },
  state: GuestState,
  atMs: number,
): GuestState {
  if (state.doomed !== undefined && atMs >= state.doomed.atMs) return fail(state, state.doomed.detail)
  const silent = !state.sawKernel && atMs - state.lastOutputMs >= limits.silenceMs
  if (silent && kvm) return fail(state, 'KVM shows no kernel', true)
  if (silent && state.lastOutputMs === state.startedMs) {
    return fail(state, `no output on the serial line for ${limits.silenceMs / 1000} s`)
  }
  if (atMs - state.startedMs < limits.overallMs) return state
  const last = state.serial.lastLine === '' ? '(none)' : state.serial.lastLine
  return fail(state, `not finished after ${limits.overallMs / 1000} s; last line: ${last}`)
}

function onExit(kvm: boolean, state: GuestState, exitCode: number, stderr: string): GuestState {
  if (state.doomed !== undefined) return fail(state, state.doomed.detail)
  const reason = stderr.trim().split('\n').slice(-3).join('; ')
  return exitCode === 0
    ? fail(state, 'the guest rebooted or switched itself off')
    : fail(
        state,
        `QEMU ended with exit code ${exitCode}: ${reason === '' ? 'no message' : reason}`,
        kvm && !state.sawKernel,
      )
}

const fail = (state: GuestState, detail: string, acceleratorSilent = false): GuestState => ({
  ...state,
  outcome: { finished: false, detail, acceleratorSilent },
})
