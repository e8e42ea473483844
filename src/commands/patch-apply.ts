import path from 'node:path'
import { buildError, usageError } from '../core/errors.ts'
import type { ApplyResult } from '../core/patch/apply.ts'
import { printRejects } from '../core/patch/rejects.ts'
import { rewritePatch } from '../core/patch/rewrite.ts'
import { applySeries, type NamedPatch, type SeriesResult } from '../core/patch/series.ts'
import { readPatches, writeText } from '../effects/patch-files.ts'
import { readBlobs, readTree, writeTree } from '../effects/patch-tree.ts'
import { patchJson, patchTable, patchText } from '../report/patch.ts'
import { sideBySide } from '../report/patch-side-by-side.ts'
import type { Io } from './io.ts'
import { putPatch } from './patch-output.ts'

export interface ApplyFlags {
  readonly tree: string
  readonly strip: number
  readonly reverse?: boolean
  readonly bestEffort?: boolean
  readonly dryRun?: boolean
  readonly rewriteTo?: string
  readonly rejectTo?: string
  readonly show?: boolean
  readonly json?: boolean
}

/** Applies patches as one series; writes nothing unless every hunk found its place. */
export function applyCommand(names: readonly string[], flags: ApplyFlags, io: Io): void {
  const { series, result, root } = run(names, flags, io, false)
  report(series, result, flags, io, patchText)
  if (flags.rejectTo !== undefined) writeRejects(series, result, path.resolve(io.cwd, flags.rejectTo))
  refuse(result)
  if (flags.rewriteTo !== undefined)
    writeRewritten(series, result, path.resolve(io.cwd, flags.rewriteTo), flags)
  if (flags.dryRun !== true) writeTree(root, result.files)
}

/** Prints the table of verdicts for a whole series. */
export function checkCommand(names: readonly string[], flags: ApplyFlags, io: Io): void {
  const { series, result } = run(names, flags, io, true)
  report(series, result, flags, io, patchTable)
  refuse(result)
}

/** Prints one patch as it should have been for the tree. */
export function rewriteCommand(name: string, flags: ApplyFlags & { output?: string }, io: Io): void {
  const { series, result } = run([name], flags, io, false)
  io.stderr(patchText(result.patches))
  refuse(result)
  const [only, outcome] = [series[0], result.patches[0]]
  if (only === undefined || outcome === undefined || series.length > 1) {
    throw usageError(
      'E_PATCH_COUNT',
      'rewrite takes one patch; for a series use apply --dry-run --rewrite-to',
    )
  }
  const text = rewritePatch(only.patch, outcome.result)
  putPatch(text, flags.output, io)
}

function run(
  names: readonly string[],
  flags: ApplyFlags,
  io: Io,
  keepGoing: boolean,
): { readonly series: readonly NamedPatch[]; readonly result: SeriesResult; readonly root: string } {
  const read = readPatches(names, io.cwd)
  const series = flags.reverse === true ? read.toReversed() : read
  const root = path.resolve(io.cwd, flags.tree)
  const result = applySeries(series, readTree(root), {
    strip: flags.strip,
    reverse: flags.reverse ?? false,
    bestEffort: flags.bestEffort ?? false,
    readBlob: readBlobs(root),
    keepGoing,
  })
  return { series, result, root }
}

function report(
  series: readonly NamedPatch[],
  result: SeriesResult,
  flags: ApplyFlags,
  io: Io,
  format: (outcomes: SeriesResult['patches']) => string,
): void {
  io.stdout(
    flags.json === true
      ? `${JSON.stringify(patchJson(result.patches), undefined, 2)}\n`
      : format(result.patches),
  )
  if (flags.show !== true || flags.json === true) return
  const options = { colour: io.stdoutIsTty, columns: process.stdout.columns ?? 160 }
  for (const [at, outcome] of result.patches.entries()) {
    const patch = series[at]?.patch
    if (patch !== undefined) io.stdout(sideBySide(outcome, patch, options))
  }
}

function refuse(result: SeriesResult): void {
  const refused = result.patches.filter((one) => one.result.status === 'refused')
  const [first] = refused
  if (first === undefined) return
  const reason = first.result.refusals.map(
    ({ path: file, hunk, reason: why }) => `${file}${hunk === undefined ? '' : ` hunk ${hunk}`}: ${why}`,
  )
  const more = refused.length > 1 ? ` (and ${refused.length - 1} more patches)` : ''
  throw buildError('E_PATCH_REFUSED', `${first.name} was not applied${more}: ${reason[0] ?? ''}`, {
    hint: 'The tree is unchanged. --best-effort takes the best candidate; --reject-to DIR keeps the refused hunks.',
  })
}

function writeRewritten(
  series: readonly NamedPatch[],
  result: SeriesResult,
  folder: string,
  flags: ApplyFlags,
): void {
  if (flags.reverse === true) throw usageError('E_PATCH_REVERSE', '--rewrite-to does not go with --reverse')
  for (const [at, { name, patch }] of series.entries()) {
    const outcome = result.patches[at]
    if (outcome !== undefined)
      writeText(path.join(folder, path.basename(name)), rewritePatch(patch, outcome.result))
  }
}

function writeRejects(series: readonly NamedPatch[], result: SeriesResult, folder: string): void {
  for (const [at, { name, patch }] of series.entries()) {
    const rejects = rejectsOf(patch, result.patches[at]?.result)
    if (rejects !== '') writeText(path.join(folder, `${path.basename(name)}.rej`), rejects)
  }
}

const rejectsOf = (patch: NamedPatch['patch'], result: ApplyResult | undefined): string =>
  result === undefined ? '' : printRejects(patch, result)
