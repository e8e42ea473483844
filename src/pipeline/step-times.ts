import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StepRecord } from '../core/step-record.ts'

/** Fingerprint and duration of the steps that were done, for a manifest. */
export async function stepsOf(
  stateDir: string,
  ids: readonly string[],
): Promise<{ step: string; fingerprint: string; durationMs: number }[]> {
  const steps: { step: string; fingerprint: string; durationMs: number }[] = []
  for (const id of ids) {
    const file = join(stateDir, 'steps', `${id}.json`)
    if (!existsSync(file)) continue
    const { step, fingerprint, durationMs } = JSON.parse(await readFile(file, 'utf8')) as StepRecord
    steps.push({ step, fingerprint, durationMs })
  }
  return steps
}
