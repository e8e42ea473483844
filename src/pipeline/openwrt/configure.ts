import { createHash } from 'node:crypto'
import { checkConfig } from '../../core/kconfig/check.ts'
import { parseDotConfig } from '../../core/kconfig/dot-config.ts'
import { renderFragment } from '../../core/kconfig/merge.ts'
import { originText, type Assignment } from '../../core/kconfig/types.ts'
import { seedConfig, seedText } from '../../core/openwrt/seed-config.ts'
import { isFileBeneath } from '../../effects/beneath/read.ts'
import { requireAll } from '../kernel/require-symbols.ts'
import type { Step, StepTools } from '../run.ts'
import type { OpenwrtContext } from './context.ts'
import { loadFragments, mergeForKernel } from './fragments.ts'
import { make, runInTree } from './make.ts'
import { readTreeText, writeForBuild } from './tree-files.ts'

type ConfigureOutputs = {
  readonly configDigest: string
  readonly asked: number
  readonly leftOut: readonly string[]
}

const shareSupport = 'hostshares'

/** Writes .config and the kernel fragment, and makes sure that `make defconfig` kept what was asked for. */
export const configureStep: Step<OpenwrtContext, ConfigureOutputs> = {
  id: 'configure',
  title: 'Configure',
  version: 1,
  inputs: async (context) => ({
    commit: context.found.commit,
    feeds: context.found.feeds.map(({ name, commit }) => ({ name, commit })),
    seed: seedText(seed(context)).split('\n'),
    kernel: context.found.kernel,
    fragments: (await loadFragments(context)).map(({ file, sha256 }) => ({ file, sha256 })),
    kernelConfig: kernelConfig(await wantedKernelSymbols(context)).split('\n'),
    buildroot: context.buildrootInputs,
  }),
  run: async (context, tools) => {
    const wanted = seed(context)
    const fragments = await loadFragments(context)
    for (const { earlier, later, kept } of mergeForKernel(fragments, context.found.kernel).redefinitions) {
      const [won, lost] = kept === 'later' ? [later, earlier] : [earlier, later]
      tools.note(
        `${won.symbol}=${won.value} (${originText(won.origin)}) replaces ${lost.value} (${originText(lost.origin)})`,
      )
    }
    await writeKernelConfig(context, await wantedKernelSymbols(context))
    await writeForBuild(context, '.config', seedText(wanted))
    await warnWithoutHistory(context, tools)
    await make(context, ['defconfig'], tools)
    const text = readTreeText(context.tree, '.config') ?? ''
    const mismatches = checkConfig(wanted, parseDotConfig(text, '.config'))
    requireAll(mismatches, 'OpenWrt’s .config', tools)
    tools.note(
      'a kernel fragment changes the kernel’s ABI hash: kernel modules of the official feeds do not install',
    )
    const leftOut = mismatches.map((mismatch) => mismatch.symbol)
    return { configDigest: sha256(text), asked: wanted.length, leftOut }
  },
  intact: async (context, outputs) => {
    const text = readTreeText(context.tree, '.config')
    return text !== undefined && sha256(text) === outputs.configDigest
  },
  adopt: (context, outputs) => {
    context.found.configDigest = outputs.configDigest
  },
  summary: ({ asked, leftOut }) => `${asked - leftOut.length} of ${asked} symbols confirmed`,
}

/** The tree's getver.sh and get_source_date_epoch.sh ask git, and keep quiet when it cannot read. */
async function warnWithoutHistory(context: OpenwrtContext, tools: StepTools): Promise<void> {
  if (isFileBeneath(context.tree, 'version')) return
  const askGit = ['git', 'rev-parse', '--verify', '--quiet', 'HEAD']
  if ((await runInTree(context, askGit, tools, tools.line)) === 0) return
  tools.note(
    'git in the buildroot cannot read the history of the tree: the images will name no revision and no true date',
    'warn',
  )
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

function seed(context: OpenwrtContext): readonly Assignment[] {
  const { spec, found } = context
  return seedConfig(spec, {
    pciHyperv: found.pciHyperv,
    packages: spec.shares.includes('9p') ? [shareSupport] : [],
    downloadFolder: context.inside(context.places.dl),
    efiSymbol: found.efiSymbol,
  })
}

/** Kernel symbols that the build is asked for, in the order of the layers; of a choice only the last once it is known. */
export async function wantedKernelSymbols(context: OpenwrtContext): Promise<readonly Assignment[]> {
  const { kernel, kernelHas, kernelOverruled } = context.found
  const exists = kernelHas === undefined ? undefined : (symbol: string) => kernelHas.has(symbol)
  return mergeForKernel(await loadFragments(context), kernel, exists).assignments.filter(
    ({ symbol }) => !kernelOverruled.has(symbol),
  )
}

const kernelConfig = (wanted: readonly Pick<Assignment, 'symbol' | 'value'>[]): string =>
  renderFragment(wanted, ['written by fwbuild from its layered fragments'])

/** Puts lines where every release looks for a layer above its own. */
export const writeKernelConfig = (
  context: OpenwrtContext,
  wanted: readonly Pick<Assignment, 'symbol' | 'value'>[],
): Promise<void> => writeForBuild(context, 'env/kernel-config', kernelConfig(wanted))
