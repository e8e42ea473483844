import type { Firmware } from '../image/image-names.ts'

export type Accelerator = 'kvm' | 'tcg'

export type CheckStatus = 'passed' | 'failed' | 'not-run'

/** One thing a booted image had to show. */
export interface CheckResult {
  /** Stable, kebab-case: `console`, `root-filesystem`, … */
  readonly name: string
  readonly status: CheckStatus
  /** What was seen, in one line or a few. */
  readonly detail: string
}

/** Verdict of one boot of one image; goes into manifest.json. */
export interface BootResult {
  readonly status: CheckStatus
  readonly firmware: Firmware
  readonly accel: Accelerator
  readonly checks: readonly CheckResult[]
  readonly durationMs: number
  /** Path of the serial log, as the caller gave it. */
  readonly serialLog: string
}
