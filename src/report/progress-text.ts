import { formatDuration } from '../core/duration.ts'
import type { Progress } from '../core/events.ts'

/** `package/libs/zlib (12 of 80)`. */
export function progressText(progress: Progress): string {
  if (progress.done === undefined) return progress.item
  const total = progress.total === undefined ? '' : ` of ${progress.total}`
  return `${progress.item} (${progress.done}${total})`
}

/** `1 min 05 s elapsed, about 3 min 20 s in all`. */
export function elapsedText(elapsedMs: number, expectedMs: number | undefined): string {
  const expected = expectedMs === undefined ? '' : `, about ${formatDuration(expectedMs)} in all`
  return `${formatDuration(elapsedMs)} elapsed${expected}`
}
