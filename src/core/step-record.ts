import { createHash } from 'node:crypto'
import { canonicalJson, type Json } from './json.ts'

/** What is kept of a step that was done; written only after its outputs were checked. */
export interface StepRecord {
  readonly step: string
  /** Everything the result depends on, readable, so that a difference can be shown. */
  readonly inputs: Json
  /** sha256 over the step's version and `inputs`. */
  readonly fingerprint: string
  readonly outputs: Json
  readonly durationMs: number
  readonly logPath: string | null
}

/** Identity of what a step does with its inputs: sha256 of both as canonical JSON, hex. */
export const fingerprintOf = (stepVersion: number, inputs: Json): string =>
  createHash('sha256').update(canonicalJson({ stepVersion, inputs })).digest('hex')
