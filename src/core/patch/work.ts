import { buildError, FwbuildError } from '../errors.ts'

/**
 * What the placing of a series may still cost, in steps of a few nanoseconds each: comparisons of lines and words, cells
 * of alignment tables. Ordinary series take some millions; what takes more than that by far was made to.
 */
export interface Work {
  leftSteps: number
  /** Bytes that binary patches may unpack to and copies may take. */
  leftBytes: number
}

/** Some three seconds of a processor; bytes as many as a large tree's firmware has. */
export const newWork = (): Work => ({ leftSteps: 400_000_000, leftBytes: 512 * 1024 * 1024 })

/** Each line of a patch brings some steps with it, so that a long series may take longer than a short one. */
const stepsPerLine = 200

export function addLines(work: Work, lines: number): void {
  work.leftSteps += lines * stepsPerLine
}

/** @throws build E_PATCH_WORK when too much was spent */
export function spend(work: Work, steps: number): void {
  work.leftSteps -= steps
  if (work.leftSteps >= 0) return
  throw buildError('E_PATCH_WORK', 'finding the places of its hunks takes too long', {
    hint: 'nothing was changed; the file, or the patch, holds too much that is alike, or lines that are too long. Is it what it seems to be?',
  })
}

/** @throws build E_PATCH_WORK when too much was spent */
export function spendBytes(work: Work, bytes: number): void {
  work.leftBytes -= bytes
  if (work.leftBytes >= 0) return
  throw buildError('E_PATCH_WORK', 'what it unpacks or copies is too large in all', {
    hint: 'nothing was changed',
  })
}

/** The error with the place told at which too much was spent; any other as it is. */
export function inPlace(error: unknown, place: string): unknown {
  if (!(error instanceof FwbuildError) || error.code !== 'E_PATCH_WORK') return error
  const { kind, code, message, hint } = error
  return new FwbuildError(kind, code, `${place}: ${message}`, {
    cause: error,
    ...(hint !== undefined && { hint }),
  })
}
