import { shownLine } from './lines.ts'
import { severalPlaces } from './place.ts'
import type { PlacedHunk, PlacementCandidate } from './placement.ts'
import { isWeak } from './weigh.ts'

/**
 * A refused hunk with what stands at each of its candidates; where several fit alike, the reason names the first two,
 * as file:line each.
 * @param lines of the file; their line feeds do not matter
 */
export function withPlaces(placed: PlacedHunk, path: string, lines: readonly string[]): PlacedHunk {
  const { placement } = placed
  if (placement.status !== 'conflict') return placed
  const candidates = placement.candidates.map((one) => ({ ...one, text: whatStandsAt(one, lines) }))
  const both = candidates.slice(0, 2).map(({ line, text }) => `${path}:${line} (${text})`)
  const isTie = placement.why === severalPlaces && both.length > 1
  const why = isTie ? `${severalPlaces}: ${both.join(' and ')}` : placement.why
  return { ...placed, placement: { ...placement, candidates, why } }
}

/** The nearest lines around a place that say something. */
function whatStandsAt({ line }: PlacementCandidate, lines: readonly string[]): string {
  const ahead = lines.slice(0, line - 1).findLast((one) => !isWeak(one))
  const here = lines.slice(line - 1).find((one) => !isWeak(one))
  const parts = [
    ...(ahead === undefined ? ['at the top'] : [`behind ${quoted(ahead)}`]),
    ...(here === undefined ? ['at the end'] : [`ahead of ${quoted(here)}`]),
  ]
  return parts.join(', ')
}

const quoted = (line: string): string => `"${shownLine(line).trim()}"`
