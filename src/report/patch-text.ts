import type { ApplyResult, FilePlacement } from '../core/patch/apply.ts'
import type { HunkPlacement } from '../core/patch/placement.ts'
import type { SeriesResult } from '../core/patch/series.ts'

/**
 * What a person should know of a series: one line for each hunk that did not stand exactly where its
 * patch says, with the candidates of a refused one below it. Empty when all was exact.
 */
export function seriesText({ patches }: SeriesResult): string {
  return patches.map(({ name, result }) => patchText(name, result)).join('')
}

function patchText(name: string, result: ApplyResult): string {
  const lines = [
    ...result.refusals
      .filter((refusal) => refusal.hunk === undefined)
      .map(({ path, reason }) => `${path}: REFUSED: ${reason}`),
    ...result.placements.flatMap(fileLines),
  ]
  if (lines.length === 0) return ''
  return `${name}: ${result.status}\n${lines.map((line) => `  ${line}\n`).join('')}`
}

function fileLines({ path, alreadyApplied, hunks }: FilePlacement): string[] {
  if (alreadyApplied) return [`${path}: already applied`]
  return hunks.flatMap(({ placement }, at) =>
    placement.status === 'exact' ? [] : hunkLines(`${path}: hunk ${at + 1}`, placement),
  )
}

function hunkLines(what: string, placement: HunkPlacement): string[] {
  if (placement.status !== 'conflict') return [`${what}: ${verdictText(placement)}: ${placement.why}`]
  const candidates = placement.candidates.map(
    ({ line, score, why }) => `    line ${line} (score ${score.toFixed(2)}): ${why}`,
  )
  return [`${what}: REFUSED: ${placement.why}`, ...candidates]
}

/** A hunk's verdict in a few words, e.g. `moved to line 210 (-3)`. */
export function verdictText({ status, line, offset, confidence }: HunkPlacement): string {
  const sign = offset > 0 ? '+' : ''
  const doubt = confidence === 'low' ? ', low confidence' : ''
  switch (status) {
    case 'exact':
      return `exact at line ${line}${doubt}`
    case 'offset':
    case 'fuzz':
    case 'moved':
      return `${status} to line ${line} (${sign}${offset})${doubt}`
    case 'already-applied':
      return `already applied at line ${line}`
    case 'conflict':
      return 'refused'
  }
}
