import type { ApplyResult } from './apply.ts'
import type { PatchDocument } from './model.ts'
import { printHunk } from './print.ts'

/** The hunks that found no place, under their headers, as a patch (binary string); '' when there are none. */
export function printRejects(patch: PatchDocument, result: ApplyResult): string {
  return patch.files
    .map((file, at) => {
      const placed = result.placements[at]
      if (placed === undefined) return ''
      const whole = result.refusals.some(({ path, hunk }) => path === placed.path && hunk === undefined)
      const hunks = file.hunks.filter(
        (_, number) =>
          whole ||
          placed.skipped !== undefined ||
          ['conflict', 'skipped'].includes(placed.hunks[number]?.placement.status ?? ''),
      )
      return hunks.length === 0 ? '' : file.header + hunks.map(printHunk).join('')
    })
    .join('')
}
