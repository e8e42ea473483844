import type { ApplyResult, FilePlacement } from '../core/patch/apply.ts'
import type { HunkPlacement } from '../core/patch/placement.ts'

/** A patch of a series with what became of it. */
export interface PatchOutcome {
  readonly name: string
  readonly result: ApplyResult
}

/** One document for `--json`: sorted, with no file contents. */
export function patchJson(outcomes: readonly PatchOutcome[]): unknown {
  return {
    version: 1,
    status: overall(outcomes),
    patches: outcomes.map(({ name, result }) => ({
      name,
      status: result.status,
      files: result.placements.map(({ path, operation, alreadyApplied, hunks }) => ({
        path,
        operation,
        alreadyApplied,
        hunks: hunks.map(({ placement }) => placement),
      })),
      refusals: result.refusals.map(({ path, hunk, reason }) => ({
        path,
        ...(hunk === undefined ? {} : { hunk }),
        reason,
      })),
    })),
  }
}

function overall(outcomes: readonly PatchOutcome[]): ApplyResult['status'] {
  if (outcomes.some(({ result }) => result.status === 'refused')) return 'refused'
  return outcomes.some(({ result }) => result.status === 'applied') ? 'applied' : 'already-applied'
}

/** A line for each patch, and one for each hunk that is not exactly where the patch says. */
export function patchText(outcomes: readonly PatchOutcome[]): string {
  return outcomes
    .map(({ name, result }) => `${result.status.padEnd(15)} ${name}\n${details(result)}`)
    .join('')
}

function details(result: ApplyResult): string {
  const files = result.placements.map((file) =>
    file.hunks
      .map(({ placement }, at) =>
        placement.status === 'exact' ? '' : `  ${file.path} #${at + 1}: ${verdict(placement)}\n`,
      )
      .join(''),
  )
  const whole = result.refusals
    .filter(({ hunk }) => hunk === undefined)
    .map(({ path, reason }) => `  ${path}: refused: ${reason}\n`)
  return [...files, ...whole].join('')
}

function verdict(placement: HunkPlacement): string {
  const { status, line, offset, fuzz, why, confidence, candidates } = placement
  if (status === 'conflict') {
    const places = candidates.map(
      (one) => `\n    candidate: line ${one.line}, score ${one.score.toFixed(2)}, ${one.why}`,
    )
    return `refused: ${why}${places.join('')}`
  }
  const parts = [
    `line ${line}`,
    offset === 0 ? '' : `offset ${offset > 0 ? '+' : ''}${offset}`,
    fuzz === 0 ? '' : `${fuzz} context ${fuzz === 1 ? 'line differs' : 'lines differ'}`,
    confidence === 'low' ? 'LOW CONFIDENCE' : '',
  ]
  return `${status} at ${parts.filter((part) => part !== '').join(', ')} (${why})`
}

/** The table of `check`: patch × file × hunk × verdict, for people and for CI logs. */
export function patchTable(outcomes: readonly PatchOutcome[]): string {
  const rows = outcomes.flatMap(({ name, result }) => {
    const unfit = result.refusals.filter(({ hunk }) => hunk === undefined)
    return [
      ...result.placements.flatMap((file) =>
        fileRows(name, file, unfit.find(({ path }) => path === file.path)?.reason),
      ),
      ...unfit
        .filter(({ path }) => path === 'patch')
        .map(({ reason }) => [name, '', '', 'refused', '', reason]),
    ]
  })
  const table = [['PATCH', 'FILE', 'HUNK', 'VERDICT', 'LINE', 'WHY'], ...rows]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? []
  return table
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function fileRows(name: string, file: FilePlacement, refused: string | undefined): string[][] {
  if (refused !== undefined) return [[name, file.path, '', 'refused', '', refused]]
  if (file.hunks.length === 0) {
    return [[name, file.path, '', file.alreadyApplied ? 'already-applied' : 'exact', '', file.operation]]
  }
  return file.hunks.map(({ placement }, at) => {
    const low = placement.confidence === 'low' ? ' (low confidence)' : ''
    const line = placement.line === 0 ? '' : String(placement.line)
    return [
      name,
      file.path,
      String(at + 1),
      `${placement.status}${low}`,
      line,
      placement.status === 'exact' ? '' : placement.why,
    ]
  })
}
