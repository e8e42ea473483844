import { FwbuildError, messageOf } from '../core/errors.ts'
import type { FailureEvent } from '../core/events.ts'

const bugExitCode = 70

/** What a program is told of a failure. */
export function failureEvent(error: unknown): FailureEvent {
  if (!(error instanceof FwbuildError)) {
    return { type: 'failure', code: 'E_INTERNAL', exitCode: bugExitCode, message: messageOf(error) }
  }
  const { code, exitCode, message, hint, retryable } = error
  return {
    type: 'failure',
    code,
    exitCode,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(retryable === undefined ? {} : { retryable }),
  }
}

/** What a person is told of a failure: what and where, what next, whether trying again can help. */
export function failureText(error: unknown): string {
  if (!(error instanceof FwbuildError)) {
    const stack = error instanceof Error && error.stack !== undefined ? `${error.stack}\n` : ''
    const report = '  This is a bug in fwbuild: please report it with the lines above.\n'
    return `fwbuild: internal error: ${messageOf(error)}\n${stack}${report}`
  }
  const { message, code, hint, retryable } = error
  const next = [
    ...(hint === undefined ? [] : [hint]),
    ...(retryable === undefined ? [] : [`Trying again ${retryable ? 'can' : 'does not'} help.`]),
  ]
  // Behind the first line, so that a list below it does not hide the code.
  const [what = '', ...details] = message.split('\n')
  const first = what.endsWith(':') ? `${what.slice(0, -1)} [${code}]:` : `${what} [${code}]`
  const told = [`fwbuild: ${first}`, ...details].map((line) => `${line}\n`).join('')
  return `${told}${next.map((text) => `${text.replaceAll(/^/gm, '  ')}\n`).join('')}`
}
