/** What a pipeline tells its reporter; one union feeds the terminal, plain text and JSON. */
export type StepEvent =
  | { readonly type: 'plan'; readonly steps: readonly StepHead[] }
  | {
      readonly type: 'step-start'
      readonly step: string
      /** From earlier records of the same step, when there are any. */
      readonly expectedMs?: number
    }
  | { readonly type: 'line'; readonly step: string; readonly stream: 'out' | 'err'; readonly text: string }
  | { readonly type: 'progress'; readonly step: string; readonly progress: Progress }
  | { readonly type: 'note'; readonly step?: string; readonly level: 'info' | 'warn'; readonly text: string }
  | {
      readonly type: 'step-end'
      readonly step: string
      readonly outcome: StepOutcome
      readonly durationMs: number
      readonly summary?: string
    }

/** The last line on standard error of a command with --json that failed. */
export interface FailureEvent {
  readonly type: 'failure'
  readonly code: string
  readonly exitCode: number
  readonly message: string
  readonly hint?: string
  /** Whether running the same command again can help, where that is known. */
  readonly retryable?: boolean
}

export interface StepHead {
  readonly id: string
  readonly title: string
}

export type StepOutcome = 'done' | 'cached' | 'skipped' | 'failed' | 'cancelled'

export interface Progress {
  /** What is being worked on now, e.g. `package/libs/zlib`. */
  readonly item: string
  readonly done?: number
  readonly total?: number
}

/** Receives events; never throws. One reporter is passed down from the command. */
export type Reporter = (event: StepEvent) => void
