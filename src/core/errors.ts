/** Exit codes of the command line; documented in README.md. */
export type ErrorKind = 'usage' | 'build' | 'boot' | 'infra' | 'cancelled'

const exitCodes: Readonly<Record<ErrorKind, number>> = {
  build: 1,
  usage: 2,
  infra: 3,
  boot: 4,
  cancelled: 130,
}

export interface ErrorDetails {
  /** What the user can do next, one or more lines. */
  readonly hint?: string
  readonly cause?: unknown
  /** For infra errors: whether running the same command again can help. */
  readonly retryable?: boolean
}

/**
 * The one error type that reaches the user: a stable `code` (`E_…`), what happened and where in
 * `message`, what to do next in `hint`. Anything else that is thrown is a bug (exit 70).
 */
export class FwbuildError extends Error {
  readonly kind: ErrorKind
  readonly code: string
  readonly hint: string | undefined
  readonly retryable: boolean | undefined

  constructor(kind: ErrorKind, code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'FwbuildError'
    this.kind = kind
    this.code = code
    this.hint = details.hint
    this.retryable = details.retryable
  }

  get exitCode(): number {
    return exitCodes[this.kind]
  }
}

/** The command line, a file or a value the user gave is wrong: exit 2. */
export const usageError = (code: string, message: string, details?: ErrorDetails): FwbuildError =>
  new FwbuildError('usage', code, message, details)

/** make, a patch, a merge or a configuration failed: exit 1. */
export const buildError = (code: string, message: string, details?: ErrorDetails): FwbuildError =>
  new FwbuildError('build', code, message, details)

/** Built, but an image did not prove itself: exit 4. */
export const bootError = (code: string, message: string, details?: ErrorDetails): FwbuildError =>
  new FwbuildError('boot', code, message, details)

/** Docker, git, the network or the disk failed: exit 3. */
export const infraError = (code: string, message: string, details?: ErrorDetails): FwbuildError =>
  new FwbuildError('infra', code, message, details)

/** The user interrupted: exit 130. */
export const cancelledError = (message = 'interrupted'): FwbuildError =>
  new FwbuildError('cancelled', 'E_CANCELLED', message)

/** Message text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
