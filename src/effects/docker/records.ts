import type { Readable } from 'node:stream'
import { LineSplitter } from '../process-output.ts'

/** One record of the stream a daemon answers builds, pulls and imports with; all fields are optional. */
export interface DaemonRecord {
  /** Text of a build step, often with its line end. */
  readonly stream?: string
  readonly status?: string
  readonly id?: string
  readonly progress?: string
  readonly error?: string
  readonly errorDetail?: { readonly message?: string }
}

/**
 * Reads such a stream (one JSON object a line) to its end.
 * @returns the message of its error record, which is the only way these calls tell of a failure
 */
export async function readRecords(
  stream: Readable,
  onRecord: (record: DaemonRecord) => void,
): Promise<string | undefined> {
  let failure: string | undefined
  const lines = new LineSplitter((line) => {
    if (line.trim() === '') return
    const record = JSON.parse(line) as DaemonRecord
    failure ??= record.errorDetail?.message ?? record.error
    onRecord(record)
  })
  for await (const chunk of stream) lines.add(chunk as Buffer)
  lines.end()
  return failure
}
