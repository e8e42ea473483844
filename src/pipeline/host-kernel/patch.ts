import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { acsPatchFor, isAcsOverride } from '../../core/host/acs-patch.ts'
import { compareSeries, parseSeries } from '../../core/kconfig/series.ts'
import type { Json } from '../../core/json.ts'
import { patchMetadata } from '../../core/patch/metadata.ts'
import { applySeriesSteps, type NamedPatch, type SeriesResult } from '../../core/patch/series.ts'
import { inSlices } from '../../effects/slices.ts'
import type { AcsMode } from '../../core/spec/options.ts'
import {
  findingOf,
  loadBuildPatches,
  patchDigest,
  refusedError,
  rewriteSeries,
  skippedTexts,
} from '../build-patches.ts'
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
    const patches = (await chooseSeries(context)).map((each) => ({
      name: each.name,
      sha256: patchDigest(each),
    }))
    // Also where nothing is to be done: the build would not be the one that is pinned.
    checkLockedPatches(context.lock, patches)
    const { acs, skipDocs } = context.spec
    return { source: context.found.origin?.id ?? '', acs, patches, ...(skipDocs ? { skipDocs } : {}) }
  },
  run: async (context, tools) => {
    const series = await chooseSeries(context)
    const tree = patchedTree(context.places)
    const result = await inSlices(
      applySeriesSteps(series, tree.pristine, { skipDocs: context.spec.skipDocs }),
      context.signal,
    )
    const patches = series.map((patch, index) => findingOf(patch, result.patches[index]?.result))
    if (result.status === 'refused') throw notFitting(context, result)
    for (const text of skippedTexts(result)) tools.note(text, 'warn')
    for (const { name, hunks } of patches) if (hunks !== 'exact') tools.note(`${name}: ${hunks}`)
    await tellUseless(context, series, tools)
    await tree.write(result.files)
    const files = tree.digests()
    return {
      patches,
      rewritten: await rewriteSeries(series, result, context.signal),
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
  return (await unedited(context)).map((each) => editedFor(each, context.spec.acs))
}

const editedFor = (each: NamedPatch, acs: AcsMode): NamedPatch =>
  isAcsOverride(each.patch) ? { ...each, patch: acsPatchFor(each.patch, acs, each.name) } : each

async function unedited(context: HostKernelContext): Promise<readonly NamedPatch[]> {
  const { acs, patches } = context.spec
  const given = await loadBuildPatches(patches, context.signal)
  const folder = join(context.paths.project, 'patches/linux')
  const names = existsSync(folder)
    ? (await readdir(folder)).filter((name) => name.endsWith('.patch')).sort()
    : []
  const theirs = given.some(({ patch }) => isAcsOverride(patch))
  const ours = names.map((name) => join(folder, name))
  const own = (await loadBuildPatches(ours, context.signal)).filter(
    ({ patch }) =>
      isForKernel(patch, context.found.kernelVersion) &&
      (!isAcsOverride(patch) || (acs !== 'off' && !theirs)),
  )
  return [...own, ...given]
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

/** What the user asked for and does not get must not go by in silence. */
async function tellUseless(
  context: HostKernelContext,
  series: readonly NamedPatch[],
  tools: StepTools,
): Promise<void> {
  const { acs } = context.spec
  if (acs === 'off') return
  const overrides = series.filter(({ patch }) => isAcsOverride(patch))
  if (overrides.length === 0) tools.note('no patch of the series adds pcie_acs_override', 'warn')
  if (acs !== 'always') return
  for (const each of await unedited(context)) {
    if (!isAcsOverride(each.patch) || editedFor(each, acs).patch !== each.patch) continue
    tools.note(`${each.name}: spares no device that has ACS, so --acs=always leaves it as it is`)
  }
}

const notFitting = (context: HostKernelContext, result: SeriesResult): Error =>
  refusedError(
    result,
    `Linux ${context.found.kernelVersion}`,
    `fwbuild patch check FILE --tree ${context.places.src} shows each hunk with its candidates`,
  )
