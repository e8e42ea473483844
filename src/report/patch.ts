import type { Json } from '../core/json.ts'
import type { ApplyResult, FilePlacement } from '../core/patch/apply.ts'
import type { HunkPlacement } from '../core/patch/placement.ts'
import type { SeriesResult } from '../core/patch/series.ts'

/** A patch of a series with what became of it. */
export type PatchOutcome = SeriesResult['patches'][number]

/** The document of `fwbuild patch --json`, without file contents; docs/patch-engine.md lists its fields. */
export function seriesJson(command: string, { status, files, patches }: SeriesResult): Json {
  return {
    version: 1,
    command,
    status,
    changed: [...files.keys()],
    patches: patches.map(({ name, result }) => ({
      name,
      status: result.status,
      files: result.placements.map(fileJson),
      refusals: result.refusals.map(({ path, hunk, reason }) => ({ path, hunk: hunk ?? null, reason })),
    })),
  }
}

function fileJson({ path, operation, alreadyApplied, mended, hunks }: FilePlacement): Json {
  return {
    path,
    operation,
    alreadyApplied,
    mended: mended ?? null,
    hunks: hunks.map(({ placement }, at) => ({
      hunk: at + 1,
      status: placement.status,
      line: placement.line,
      offset: placement.offset,
      fuzz: placement.fuzz,
      confidence: placement.confidence,
      why: placement.why,
      candidates: placement.candidates.map(({ line, score, why }) => ({ line, score, why })),
    })),
  }
}

/** A line for each patch, and one for each hunk that does not stand exactly where the patch says. */
export function seriesText({ patches }: SeriesResult): string {
  return patches
    .map(({ name, result }) => `${result.status.padEnd(15)} ${plain(name)}\n${details(result)}`)
    .join('')
}

function details({ placements, refusals }: ApplyResult): string {
  const whole = refusals
    .filter(({ hunk }) => hunk === undefined)
    .map(({ path, reason }) => `${path}: REFUSED: ${reason}`)
  const empty = placements.length + refusals.length === 0 ? [emptyPatch] : []
  return [...whole, ...placements.flatMap(fileLines), ...empty].map((line) => `  ${plain(line)}\n`).join('')
}

/** What a patch deletes may be gone, or have another name: nothing tells. */
const noFile = 'there is no such file to delete'
const emptyPatch = 'the patch is empty'

function fileLines(placement: FilePlacement): string[] {
  const { path, mended } = placement
  return [...(mended === undefined ? [] : [`${path}: ${mended}`]), ...verdictLines(placement)]
}

function verdictLines({ path, operation, alreadyApplied, hunks }: FilePlacement): string[] {
  if (alreadyApplied) return [`${path}: already applied${operation === 'delete' ? `: ${noFile}` : ''}`]
  return hunks.flatMap(({ placement }, at) =>
    placement.status === 'exact' && placement.confidence === 'high'
      ? []
      : hunkLines(`${path} hunk ${at + 1}`, placement),
  )
}

function hunkLines(what: string, placement: HunkPlacement): string[] {
  const { status, line, offset, confidence, why, candidates } = placement
  if (status !== 'conflict') {
    const sign = offset > 0 ? '+' : ''
    const doubt = confidence === 'low' ? ', LOW CONFIDENCE' : ''
    return [`${what}: ${status}, line ${line} (${sign}${offset})${doubt}: ${why}`]
  }
  const places = candidates.map((one) => `  line ${one.line}, score ${one.score.toFixed(2)}: ${one.why}`)
  return [`${what}: REFUSED: ${why}`, ...places]
}

/** Names come from patches: nothing in them may steer a terminal. */
const plain = (text: string): string => text.replaceAll(/\p{Cc}/gu, '?')

/** The table of `check`: patch × file × hunk × verdict, for people and for the logs of CI. */
export function verdictTable({ patches }: SeriesResult): string {
  const head = ['PATCH', 'FILE', 'HUNK', 'VERDICT', 'LINE', 'OFFSET', 'WHY']
  const table = [head, ...patches.flatMap(patchRows)].map((row) => row.map(plain))
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  return table
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

function patchRows({ name, result }: PatchOutcome): string[][] {
  const unfit = result.refusals.filter(({ hunk }) => hunk === undefined)
  const whole = unfit.map(({ path, reason }) => [name, path, '', 'refused', '', '', reason])
  if (result.placements.length + result.refusals.length === 0) {
    return [[name, '', '', result.status, '', '', emptyPatch]]
  }
  const refused = new Set(unfit.map(({ path }) => path))
  return [
    ...whole,
    ...result.placements.filter(({ path }) => !refused.has(path)).flatMap((file) => fileRows(name, file)),
  ]
}

function fileRows(name: string, { path, operation, alreadyApplied, hunks }: FilePlacement): string[][] {
  if (alreadyApplied) {
    const why = operation === 'delete' ? `${operation}: ${noFile}` : operation
    return [[name, path, '', 'already-applied', '', '', why]]
  }
  if (hunks.length === 0) return [[name, path, '', 'exact', '', '', operation]]
  return hunks.map(({ placement }, at) => {
    const { status, line, offset, confidence, why } = placement
    const verdict = status === 'conflict' ? 'refused' : `${status}${confidence === 'low' ? ' (low)' : ''}`
    const place = status === 'conflict' ? ['', ''] : [String(line), String(offset)]
    return [name, path, String(at + 1), verdict, ...place, verdict === 'exact' ? '' : why]
  })
}
