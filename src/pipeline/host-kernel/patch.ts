import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import { acsPatchFor, isAcsOverride } from '../../core/host/acs-patch.ts'
import { compareSeries, parseSeries } from '../../core/kconfig/series.ts'
import type { Json } from '../../core/json.ts'
import { patchMetadata } from '../../core/patch/metadata.ts'
import { printPatch } from '../../core/patch/print.ts'
import { rewritePatch } from '../../core/patch/rewrite.ts'
import { applySeriesSteps, type NamedPatch, type SeriesResult } from '../../core/patch/series.ts'
import { loadPatches } from '../../effects/patch-files.ts'
import { inSlices } from '../../effects/slices.ts'
import type { PatchFinding, RewrittenFile } from '../openwrt/context.ts'
import { checkLockedPatches } from '../openwrt/lock.ts'
import type { Step, StepTools } from '../run.ts'
import type { HostKernelContext } from './context.ts'
import { patchedTree } from './patched-tree.ts'

type PatchOutputs = {
  readonly patches: readonly PatchFinding[]
  /** The series as it should have been for this kernel; binary strings. */
  readonly rewritten: readonly RewrittenFile[]
  readonly files: { readonly [path: string]: string | null }
  readonly digest: string
}

/** Patches go into the unpacked source; only files that end up different are written, so make stays quick. */
export const patchStep: Step<HostKernelContext, PatchOutputs> = {
  id: 'patch',
  title: 'Patch the kernel',
  version: 1,
  inputs: async (context) => {
    const patches = (await chooseSeries(context)).map(({ name, patch }) => ({
      name,
      sha256: sha256(printPatch(patch)),
    }))
    // Also where nothing is to be done: the build would not be the one that is pinned.
    checkLockedPatches(context.lock, patches)
    return { source: context.found.origin?.id ?? '', acs: context.spec.acs, patches }
  },
  run: async (context, tools) => {
    const series = await chooseSeries(context)
    const tree = patchedTree(context.places)
    const result = await inSlices(applySeriesSteps(series, tree.pristine), context.signal)
    const patches = series.map((patch, index) => findingOf(patch, result.patches[index]?.result))
    if (result.status === 'refused') throw refusedError(context, result)
    for (const { name, hunks } of patches) if (hunks !== 'exact') tools.note(`${name}: ${hunks}`)
    tellUseless(context, series, tools)
    await tree.write(result.files)
    const files = tree.digests()
    return {
      patches,
      rewritten: series.map(({ name, patch }, index) => rewritten(name, patch, result, index)),
      files,
      digest: sha256(JSON.stringify([context.found.origin?.id, files])),
    }
  },
  intact: async (context, outputs) => {
    const now = patchedTree(context.places).digests()
    return JSON.stringify(now) === JSON.stringify(sortedKeys(outputs.files))
  },
  adopt: (context, outputs) => {
    context.found.patches = outputs.patches
    context.found.rewrittenPatches = outputs.rewritten
    context.found.patchedDigest = outputs.digest
  },
  summary: ({ patches }) =>
    patches.length === 0
      ? 'none asked for'
      : patches.map(({ name, hunks }) => `${name}: ${hunks}`).join(', '),
}

const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex')

const sortedKeys = (files: PatchOutputs['files']): Json =>
  Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)))

/**
 * Our own patches for this kernel, then the user's. An ACS override among the user's stands for ours; whichever
 * it is gets the edit that the mode asks for.
 */
async function chooseSeries(context: HostKernelContext): Promise<readonly NamedPatch[]> {
  const { acs, patches } = context.spec
  const given = loadPatches(patches, '/')
  const folder = join(context.paths.project, 'patches/linux')
  const names = existsSync(folder)
    ? (await readdir(folder)).filter((name) => name.endsWith('.patch')).sort()
    : []
  const theirs = given.some(({ patch }) => isAcsOverride(patch))
  const own = loadPatches(
    names.map((name) => join(folder, name)),
    '/',
  ).filter(
    ({ patch }) =>
      isForKernel(patch, context.found.kernelVersion) &&
      (!isAcsOverride(patch) || (acs !== 'off' && !theirs)),
  )
  return [...own, ...given].map((each) =>
    isAcsOverride(each.patch) ? { ...each, patch: acsPatchFor(each.patch, acs) } : each,
  )
}

function isForKernel(patch: NamedPatch['patch'], kernel: string): boolean {
  const { since, until } = patchMetadata(patch.files[0]?.preamble ?? '')
  const series = parseSeries(kernel)
  const first = since === undefined ? undefined : parseSeries(since)
  const firstWithout = until === undefined ? undefined : parseSeries(until)
  if (series === undefined) return true
  return (
    (first === undefined || compareSeries(series, first) >= 0) &&
    (firstWithout === undefined || compareSeries(series, firstWithout) < 0)
  )
}

function tellUseless(context: HostKernelContext, series: readonly NamedPatch[], tools: StepTools): void {
  if (context.spec.acs === 'off' || series.some(({ patch }) => isAcsOverride(patch))) return
  tools.note('no patch of the series adds pcie_acs_override', 'warn')
}

function findingOf(
  { name, patch }: NamedPatch,
  result: SeriesResult['patches'][number]['result'] | undefined,
): PatchFinding {
  const hunks = result?.placements.flatMap((file) => file.hunks.map((hunk) => hunk.placement)) ?? []
  const unusual = hunks
    .filter((hunk) => hunk.status !== 'exact')
    .map((hunk) => (hunk.status === 'offset' ? `offset ${hunk.offset}` : hunk.status))
  return {
    name,
    sha256: sha256(printPatch(patch)),
    status: result?.status ?? 'not-run',
    hunks: unusual.length === 0 ? 'exact' : unusual.join(', '),
  }
}

function rewritten(
  name: string,
  patch: NamedPatch['patch'],
  result: SeriesResult,
  index: number,
): RewrittenFile {
  const applied = result.patches[index]?.result
  if (applied === undefined) throw new Error(`no result for ${name}`)
  return { name, text: printPatch(rewritePatch(patch, applied).patch) }
}

function refusedError(context: HostKernelContext, result: SeriesResult): Error {
  const refused = result.patches.find((patch) => patch.result.status === 'refused')
  const reasons = (refused?.result.refusals ?? []).map(
    ({ path, hunk, reason }) => `  ${path}${hunk === undefined ? '' : ` hunk ${hunk}`}: ${reason}`,
  )
  return buildError(
    'E_PATCH_REFUSED',
    `${refused?.name} does not fit Linux ${context.found.kernelVersion}:\n${reasons.join('\n')}`,
    {
      hint: `nothing was changed; fwbuild patch check FILE --tree ${context.places.src} shows each hunk with its candidates`,
    },
  )
}
