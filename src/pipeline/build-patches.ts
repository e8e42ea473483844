import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { buildError, usageError } from '../core/errors.ts'
import { isDocumentation } from '../core/patch/documentation.ts'
import type { HunkPlacement } from '../core/patch/placement.ts'
import { printPatch } from '../core/patch/print.ts'
import { rewriteSteps } from '../core/patch/rewrite.ts'
import type { NamedPatch, SeriesResult } from '../core/patch/series.ts'
import { expectRegular, loadPatches } from '../effects/patch-files.ts'
import { inSlices } from '../effects/slices.ts'
import type { PatchFinding, RewrittenFile } from './openwrt/context.ts'

/**
 * Loads the patches of a build as the patch commands do: files, folders, quilt series and mails.
 * @throws usage E_PATCH_MISSING | E_PATCH_SIZE | E_PATCH_EMPTY | E_PATCH_SYNTAX | E_SERIES_SYNTAX, infra E_PATCH_READ
 */
export async function loadBuildPatches(
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly NamedPatch[]> {
  const loaded: NamedPatch[] = []
  for (const given of names) {
    if (!isFolder(given)) expectRegular(given)
    const patches = await loadPatches([given], '/', { signal })
    for (const { name, patch } of patches) {
      const problem = patch.problems[0]
      const file = patches.length === 1 ? given : `${given}: ${name}`
      if (problem !== undefined)
        throw usageError('E_PATCH_SYNTAX', `${file}:${problem.line}: ${problem.reason}`)
    }
    loaded.push(...patches)
  }
  return loaded
}

const isFolder = (name: string): boolean => statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false

/** sha256 of a patch as it is applied; that of its file, unless the file is an encoded mail. */
export const patchDigest = ({ patch }: NamedPatch): string =>
  createHash('sha256').update(printPatch(patch), 'latin1').digest('hex')

type PatchResult = SeriesResult['patches'][number]['result']

/** What became of a patch, for the manifest and for people. */
export function findingOf(named: NamedPatch, result: PatchResult | undefined): PatchFinding {
  const placements = result?.placements ?? []
  const hunks = placements.flatMap((file) => [
    ...(file.skipped === undefined ? [] : [`${file.path} left out`]),
    ...(file.mended === undefined ? [] : [`${file.path}: ${file.mended}`]),
    ...file.hunks.flatMap(({ placement }) => hunkFinding(file.path, placement)),
  ])
  return {
    name: named.name,
    sha256: patchDigest(named),
    status: result?.status ?? 'not-run',
    hunks: hunks.length === 0 ? 'exact' : hunks.join(', '),
  }
}

function hunkFinding(path: string, { status, line }: HunkPlacement): readonly string[] {
  if (status === 'exact') return []
  if (status === 'offset') return [`line ${line}`]
  return [status === 'skipped' ? `a hunk of ${path} left out` : status]
}

/** Warnings about what was left out by --skip-docs. */
export const skippedTexts = ({ patches }: SeriesResult): readonly string[] =>
  patches.flatMap(({ name, result }) =>
    result.placements.flatMap(({ path, skipped, hunks }) => [
      ...(skipped === undefined ? [] : [`${name}: ${path} is left out: ${skipped}`]),
      ...hunks.flatMap(({ placement }, at) =>
        placement.status === 'skipped'
          ? [`${name}: ${path} hunk ${at + 1} is left out: ${placement.why}`]
          : [],
      ),
    ]),
  )

/** @param tree what the patches are for; @param hint how to look closer */
export function refusedError(result: SeriesResult, tree: string, hint: string): Error {
  const refused = result.patches.find((patch) => patch.result.status === 'refused')
  const refusals = refused?.result.refusals ?? []
  const reasons = refusals.map(
    ({ path, hunk, reason }) => `  ${path}${hunk === undefined ? '' : ` hunk ${hunk}`}: ${reason}`,
  )
  const isDocs = refusals.length > 0 && refusals.every(({ path }) => isDocumentation(path))
  const docs = isDocs ? '; the code is whole: --skip-docs leaves the documentation out' : ''
  return buildError('E_PATCH_REFUSED', `${refused?.name} does not fit ${tree}:\n${reasons.join('\n')}`, {
    hint: `nothing was changed; ${hint}${docs}`,
  })
}

/** The series as it should have been for this tree; a patch that was undone stays as it is. */
export async function rewriteSeries(
  series: readonly NamedPatch[],
  result: SeriesResult,
  signal: AbortSignal,
): Promise<readonly RewrittenFile[]> {
  const files: RewrittenFile[] = []
  for (const [index, { name, patch, reverse }] of series.entries()) {
    const applied = result.patches[index]?.result
    if (applied === undefined) throw new Error(`no result for ${name}`)
    const rewritten = reverse === true ? patch : (await inSlices(rewriteSteps(patch, applied), signal)).patch
    files.push({ name, text: printPatch(rewritten) })
  }
  return files
}
