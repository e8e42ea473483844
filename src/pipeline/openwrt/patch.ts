import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import { isPciHypervPatch, patchTitle, pathsOf } from '../../core/openwrt/own-patches.ts'
import { decidePciHyperv, isOn } from '../../core/openwrt/pci-hyperv.ts'
import type { FileState } from '../../core/patch/file-state.ts'
import { applySeriesSteps, type NamedPatch, type SeriesResult } from '../../core/patch/series.ts'
import { commitFiles, keepCommit, readStoredFile, type FileChange } from '../../effects/git-objects.ts'
import { checkOut, worktreeIsAt } from '../../effects/git-worktree.ts'
import { inSlices } from '../../effects/slices.ts'
import { translatingGit } from '../../effects/git.ts'
import { listBeneath } from '../../effects/beneath/read.ts'
import { blobReader } from '../../effects/patch-blobs.ts'
import {
  findingOf,
  loadBuildPatches,
  patchDigest,
  refusedError,
  rewriteSeries,
  skippedTexts,
} from '../build-patches.ts'
import type { Step, StepTools } from '../run.ts'
import { mirrorOptions, type OpenwrtContext, type PatchFinding, type RewrittenFile } from './context.ts'
import { checkLockedPatches } from './lock.ts'

type PatchOutputs = {
  readonly commit: string
  readonly patches: readonly PatchFinding[]
  /** The series as it should have been for this tree; binary strings. */
  readonly rewritten: readonly RewrittenFile[]
  readonly pciHyperv: boolean
  readonly kernel: string
  readonly messages: readonly string[]
}

/** Patches become one commit each run; only then is the work tree touched, and all at once. */
export const patchStep: Step<OpenwrtContext, PatchOutputs> = {
  id: 'patch',
  title: 'Patch and check out',
  version: 2,
  inputs: async (context) => ({
    commit: context.found.commit,
    patches: (await loadOpenwrtPatches(context)).map((each) => ({
      name: each.name,
      sha256: patchDigest(each),
    })),
    hyperv: context.spec.hypervisors.includes('hyperv'),
    force: context.spec.forcePciHyperv,
    ...(context.spec.skipDocs ? { skipDocs: true } : {}),
  }),
  run: async (context, tools) => {
    const kernel = await kernelSeries(context)
    const { series, pciHyperv, messages } = await chooseSeries(context, kernel)
    for (const message of messages) tools.note(message)
    checkLockedPatches(
      context.lock,
      series.map((each) => ({ name: each.name, sha256: patchDigest(each) })),
    )
    const { commit, patches, rewritten } = await applyToCommit(context, series, tools)
    await checkOutTree(context, commit, tools)
    return { commit, patches, rewritten, pciHyperv, kernel, messages }
  },
  intact: (context, outputs) => worktreeIsAt({ ...context, path: context.tree }, outputs.commit),
  adopt: (context, outputs) => {
    context.found.commit = outputs.commit
    context.found.patches = outputs.patches
    context.found.rewrittenPatches = outputs.rewritten
    context.found.pciHyperv = outputs.pciHyperv
    context.found.kernel = outputs.kernel
  },
  summary: ({ patches }) =>
    patches.length === 0 ? 'none needed' : patches.map((patch) => `${patch.name}: ${patch.hunks}`).join(', '),
}

/** Our own patches and the user's, in the order in which they apply. */
export async function loadOpenwrtPatches(context: OpenwrtContext): Promise<readonly NamedPatch[]> {
  const folder = join(context.paths.project, 'patches/openwrt')
  const own = listBeneath(folder, '').flatMap(({ name }) => (name.endsWith('.patch') ? [name] : []))
  const files = [...own.map((name) => join(folder, name)), ...context.spec.patches]
  return loadBuildPatches(files, context.signal)
}

/** Series of the kernel that target x86 uses (KERNEL_PATCHVER), from the tree itself. */
async function kernelSeries(context: OpenwrtContext): Promise<string> {
  const text = await treeText(context, 'target/linux/x86/Makefile')
  const series = /^KERNEL_PATCHVER\s*:?=\s*(\d+\.\d+)/m.exec(text)?.[1]
  if (series !== undefined) return series
  throw buildError(
    'E_NOT_OPENWRT',
    `${context.found.sources[0]?.location} has no target/linux/x86/Makefile with KERNEL_PATCHVER`,
    {
      hint: 'is it an OpenWrt or LEDE tree with the x86 target?',
    },
  )
}

async function treeText(context: OpenwrtContext, path: string): Promise<string> {
  const file = await readStoredFile(mirrorOptions(context), context.found.commit, path)
  return file === undefined ? '' : new TextDecoder('latin1').decode(file.content)
}

async function chooseSeries(
  context: OpenwrtContext,
  kernel: string,
): Promise<{
  readonly series: readonly NamedPatch[]
  readonly pciHyperv: boolean
  readonly messages: readonly string[]
}> {
  const loaded = await loadOpenwrtPatches(context)
  if (!context.spec.hypervisors.includes('hyperv')) {
    return { series: loaded.filter(({ patch }) => !isPciHypervPatch(patch)), pciHyperv: false, messages: [] }
  }
  const stack = ['target/linux/generic', 'target/linux/x86', 'target/linux/x86/64'].map(
    (folder) => `${folder}/config-${kernel}`,
  )
  const decision = decidePciHyperv({
    configKernelIn: await treeText(context, 'config/Config-kernel.in'),
    kernel,
    nativelyOn: isOn('PCI_HYPERV', await Promise.all(stack.map((path) => treeText(context, path)))),
    force: context.spec.forcePciHyperv,
  })
  const series = loaded.filter(({ patch }) => decision.action === 'insert' || !isPciHypervPatch(patch))
  return { series, pciHyperv: decision.enable, messages: [decision.message] }
}

async function applyToCommit(
  context: OpenwrtContext,
  series: readonly NamedPatch[],
  tools: StepTools,
): Promise<Pick<PatchOutputs, 'commit' | 'patches' | 'rewritten'>> {
  let commit = context.found.commit
  if (series.length === 0) return { commit, patches: [], rewritten: [] }
  const store = mirrorOptions(context)
  const files = await readFiles(
    context,
    series.flatMap(({ patch, strip }) => pathsOf(patch, strip)),
  )
  const result = await inSlices(
    applySeriesSteps(series, (path) => files.get(path), {
      skipDocs: context.spec.skipDocs,
      readBlob: blobReader(store.gitDir),
    }),
    context.signal,
  )
  const patches = series.map((loaded, index) => findingOf(loaded, result.patches[index]?.result))
  if (result.status === 'refused') {
    throw refusedError(result, 'this tree', '`fwbuild patch check` shows each hunk with its candidates')
  }
  for (const text of skippedTexts(result)) tools.note(text, 'warn')
  for (const patch of patches) if (patch.hunks !== 'exact') tools.note(`${patch.name}: ${patch.hunks}`)
  const subject = series.map(({ patch, name }) => patchTitle(patch, name)).join('; ')
  await translatingGit('the patched tree cannot be recorded', context.signal, async () => {
    if (result.files.size > 0) commit = await commitFiles(store, commit, changesOf(result), subject)
    await keepCommit(store, `kept/${commit}`, commit)
  })
  return { commit, patches, rewritten: await rewriteSeries(series, result, context.signal) }
}

async function readFiles(
  context: OpenwrtContext,
  paths: readonly string[],
): Promise<ReadonlyMap<string, FileState>> {
  const files = new Map<string, FileState>()
  for (const path of new Set(paths)) {
    const stored = await readStoredFile(mirrorOptions(context), context.found.commit, path)
    if (stored === undefined) continue
    const kind = stored.mode === '120000' ? 'symlink' : 'file'
    files.set(path, { bytes: stored.content, mode: Number.parseInt(stored.mode, 8), kind })
  }
  return files
}

const changesOf = (result: SeriesResult): readonly FileChange[] =>
  [...result.files].map(([path, state]) => ({
    path,
    content: state === undefined ? null : state.bytes,
    mode: state?.kind === 'symlink' ? '120000' : state?.mode === 0o100755 ? '100755' : '100644',
  }))

async function checkOutTree(context: OpenwrtContext, commit: string, tools: StepTools): Promise<void> {
  tools.progress({ item: `checking out ${commit.slice(0, 10)}` })
  await translatingGit(`${commit.slice(0, 10)} cannot be checked out`, context.signal, async () => {
    const missing = await checkOut({ ...context, path: context.tree }, commit)
    for (const path of missing) tools.note(`left out, the clone lacks it: ${path}`, 'warn')
  })
}
