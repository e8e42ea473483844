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

function fileJson(placement: FilePlacement): Json {
  const { path, operation, alreadyApplied, mended, skipped, hunks } = placement
  return {
    path,
    operation,
    alreadyApplied,
    mended: mended ?? null,
    skipped: skipped ?? null,
    hunks: hunks.map(({ placement }, at) => ({
      hunk: at + 1,
      status: placement.status,
      line: placement.line,
      offset: placement.offset,
      fuzz: placement.fuzz,
      confidence: placement.confidence,
      why: placement.why,
      candidates: placement.candidates.map(({ line, score, why, text }) => ({
        line,
        score,
        why,
        text: text ?? null,
      })),
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
const leftOut = 'left out'

function fileLines(placement: FilePlacement): string[] {
  const { path, mended } = placement
  return [...(mended === undefined ? [] : [`${path}: ${mended}`]), ...verdictLines(placement)]
}

function verdictLines({ path, operation, alreadyApplied, skipped, hunks }: FilePlacement): string[] {
  if (skipped !== undefined) return [`${path}: LEFT OUT: ${skipped}`]
  if (alreadyApplied) return [`${path}: already applied${operation === 'delete' ? `: ${noFile}` : ''}`]
  return hunks.flatMap(({ placement }, at) =>
    placement.status === 'exact' && placement.confidence === 'high'
      ? []
      : hunkLines(`${path} hunk ${at + 1}`, placement),
  )
}

function hunkLines(what: string, placement: HunkPlacement): string[] {
  const { status, line, offset, confidence, why, candidates } = placement
  if (status === 'skipped') return [`${what}: LEFT OUT: ${why}`]
  if (status !== 'conflict') {
    const sign = offset > 0 ? '+' : ''
    const doubt = confidence === 'low' ? ', LOW CONFIDENCE' : ''
    return [`${what}: ${status}, line ${line} (${sign}${offset})${doubt}: ${why}`]
  }
  const places = candidates.map(
    (one) =>
      `  line ${one.line}, score ${one.score.toFixed(2)}: ${one.why}${one.text === undefined ? '' : `; ${one.text}`}`,
  )
  return [`${what}: REFUSED: ${why}`, ...places]
}

/** Names come from patches: nothing in them may steer a terminal. */
const plain = (text: string): string => text.replaceAll(/\p{Cc}/gu, '?')

/** A warning for each part of a patch that was left out; '' where none was. */
export const skippedText = ({ patches }: SeriesResult): string =>
  patches
    .flatMap(({ name, result }) =>
      result.placements.flatMap((file) =>
        verdictLines(file)
          .filter((line) => line.includes(': LEFT OUT: '))
          .map((line) => `warning: ${plain(`${name}: ${line}`)}\n`),
      ),
    )
    .join('')

/** The table of `check`: patch × file × hunk × verdict, for people and for the logs of CI. */
export function verdictTable({ patches }: SeriesResult): string {
  const head = ['PATCH', 'FILE', 'HUNK', 'VERDICT', 'LINE', 'OFFSET', 'WHY']
  const table = [head, ...patches.flatMap(patchRows)].map((row) => row.map(plain))
  const widths = head.map((_, column) =>
    table.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0),
  )
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

function fileRows(name: string, placement: FilePlacement): string[][] {
  const { path, operation, alreadyApplied, skipped, hunks } = placement
  if (skipped !== undefined) return [[name, path, '', leftOut, '', '', skipped]]
  if (alreadyApplied) {
    const why = operation === 'delete' ? `${operation}: ${noFile}` : operation
    return [[name, path, '', 'already-applied', '', '', why]]
  }
  if (hunks.length === 0) return [[name, path, '', 'exact', '', '', operation]]
  return hunks.map(({ placement }, at) => {
    const { status, line, offset, confidence, why } = placement
    const isPlaced = status !== 'conflict' && status !== 'skipped'
    const refused = status === 'skipped' ? leftOut : 'refused'
    const verdict = isPlaced ? `${status}${confidence === 'low' ? ' (low)' : ''}` : refused
    const place = !isPlaced ? ['', ''] : [String(line), String(offset)]
    return [name, path, String(at + 1), verdict, ...place, verdict === 'exact' ? '' : why]
  })
}
