import {
  advanceBoot,
  defaultLimits,
  startBoot,
  type BootEvent,
  type BootLimits,
  type BootState,
} from '../../src/core/boot/expectation.ts'
import type { Accelerator } from '../../src/core/boot/boot-result.ts'
import type { GuestCheck } from '../../src/core/boot/guest-checks.ts'

/** A guest that exists as text only: what it prints while booting, and how its shell answers. */
export interface FakeGuest {
  readonly boot: string
  /** Output and exit code of a command; undefined: it never ends. */
  readonly answer?: (command: string, atMs: number) => { output: string; exitCode?: number } | undefined
  /** Does nothing for so many newlines. */
  readonly deafTo?: number
  /** After the boot text. */
  readonly exit?: { readonly exitCode: number; readonly stderr: string }
  /** Characters that arrive at once. */
  readonly chunkChars?: number
}

export interface Played {
  readonly state: BootState
  readonly sent: readonly string[]
  readonly endedMs: number
}

const tickMs = 100

/** Plays a guest against the expectation in virtual time. */
export function play(
  guest: FakeGuest,
  options: {
    readonly checks?: readonly GuestCheck[]
    readonly accel?: Accelerator
    readonly limits?: Partial<BootLimits>
  } = {},
): Played {
  const accel = options.accel ?? 'tcg'
  const script = {
    accel,
    checks: options.checks ?? [],
    limits: { ...defaultLimits[accel], ...options.limits },
  }
  let atMs = 0
  let deafTo = guest.deafTo ?? 0
  let state = startBoot(atMs)
  const sent: string[] = []
  const output: string[] = [guest.boot]
  const feed = (event: BootEvent): void => {
    const step = advanceBoot(script, state, event)
    state = step.state
    if (step.send !== undefined) {
      sent.push(step.send)
      output.push(...shell(step.send))
    }
  }
  const shell = (typed: string): readonly string[] => {
    if (deafTo > 0) {
      deafTo -= 1
      return []
    }
    const prompt = '\r\nroot@OpenWrt:/# \u001B[6n'
    const command = /echo "fwb<"b(\d+)">"; (.*); echo "fwb<"e/.exec(typed)
    if (command === null) return typed.includes('poweroff') ? [] : [prompt]
    const answer = guest.answer?.(command[2] ?? '', atMs)
    const echoed = `${typed.replace('\n', '\r\n')}fwb<b${command[1]}>\r\n`
    if (answer === undefined) return [echoed]
    const text = answer.output.replaceAll('\n', '\r\n')
    return [`${echoed}${text}\r\nfwb<e${command[1]}:${answer.exitCode ?? 0}>\r\n${prompt}`]
  }
  while (state.phase !== 'ended' && atMs < 3_600_000) {
    const text = output.shift()
    if (text !== undefined && text !== '') {
      const size = guest.chunkChars ?? text.length
      for (let from = 0; from < text.length; from += size) {
        feed({ type: 'serial', text: text.slice(from, from + size), atMs })
      }
      if (output.length === 0 && guest.exit !== undefined) feed({ type: 'exit', ...guest.exit, atMs })
    }
    atMs += tickMs
    feed({ type: 'tick', atMs })
  }
  return { state, sent, endedMs: atMs }
}
