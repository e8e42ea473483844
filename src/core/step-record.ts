import { createHash } from 'node:crypto'
import { canonicalJson, type Json } from './json.ts'

/** What is kept of a step that was done; written only after its outputs were checked. */
export interface StepRecord {
  readonly step: string
  /** Everything the result depends on, readable, so that a difference can be shown. */
  readonly inputs: Json
  /** sha256 over `inputs`. */
  readonly fingerprint: string
  readonly outputs: Json
  readonly durationMs: number
  readonly logPath: string | null
}

/** Identity of a step's inputs: sha256 of their canonical JSON, hex. */
export const fingerprintOf = (inputs: Json): string =>
  createHash('sha256').update(canonicalJson(inputs)).digest('hex')
