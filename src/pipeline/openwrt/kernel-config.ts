import { join } from 'node:path'
import { checkConfig } from '../../core/kconfig/check.ts'
import { inChoices, rivalsOf } from '../../core/kconfig/choice-order.ts'
import { evaluate } from '../../core/kconfig/tree/evaluate.ts'
import { definedNames, isDefined, type KconfigTree } from '../../core/kconfig/tree/model.ts'
import { unanswered } from '../../core/kconfig/unanswered.ts'
import {
  layeredKernelConfig,
  symbolsFromOpenwrt,
  type KernelLayers,
} from '../../core/openwrt/kernel-layers.ts'
import type { Step, StepTools } from '../run.ts'
import { wantedKernelSymbols, writeKernelConfig } from './configure.ts'
import type { OpenwrtContext } from './context.ts'
import { conditionsOf, loadFragments } from './fragments.ts'
import { completeByConf, draftConfig } from './kernel-conf.ts'
import { readKernelLayers } from './kernel-layers.ts'
import { readKernelInside } from '../kernel/read-kernel.ts'
import { findKernelTree, type KernelBuild } from './kernel-tree.ts'
import { explainKernelMismatch } from '../kernel/kernel-why.ts'
import { requireAll, tellOverruled } from '../kernel/require-symbols.ts'
import { make, offlineDownloads } from './make.ts'
import { readTreeText } from './tree-files.ts'

type KernelConfigOutputs = {
  /** Of the symbols that `only-if` lines ask for, those this kernel has. */
  readonly has: readonly string[]
  /** Symbols that a later layer's line for another member of their choice beats. */
  readonly overruled: readonly string[]
  /** Optional symbols that will not hold. */
  readonly lost: readonly string[]
  readonly asked: number
  readonly by: 'conf' | 'fwbuild'
}

/**
 * Unpacks the kernel and resolves its layered configuration, so that what can't hold fails before toolchain
 * and kernel are compiled.
 */
export const kernelConfigStep: Step<OpenwrtContext, KernelConfigOutputs> = {
  id: 'kernel-config',
  title: 'Resolve the kernel configuration',
  version: 2,
  inputs: async (context) => ({
    commit: context.found.commit,
    feeds: context.found.feeds.map(({ name, commit }) => ({ name, commit })),
    config: context.found.configDigest,
    fragments: (await loadFragments(context)).map(({ file, sha256 }) => ({ file, sha256 })),
    buildroot: context.buildrootInputs,
  }),
  run: async (context, tools) => {
    for (const target of ['tools/install', 'target/linux/prepare']) {
      await make(context, [target], tools, { settings: offlineDownloads })
    }
    const build = await kernelBuild(context, tools)
    const kernel = findKernelTree(context.tree)
    const kernelDir = join(context.tree, kernel)
    tools.progress({ item: 'reading the kernel’s Kconfig files' })
    const tree = await readKernelInside(build, kernelDir)
    const has = symbolsOf(tree, conditionsOf(await loadFragments(context)))
    context.found.kernelHas = new Set(has)
    const { wanted, overruled } = inChoices(tree, await wantedKernelSymbols(context))
    tellOverruled(overruled, tools)
    const layers = await layersThatWin(context, build, tree)
    const layered = layeredKernelConfig(layers)
    const config = evaluate(tree, { values: layered })
    if (stopsAtQuestions(context.tree)) {
      const below = layeredKernelConfig({ ...layers, stack: layers.stack.slice(0, -1) })
      tellQuestions(unanswered(config), unanswered(evaluate(tree, { values: below })), tools)
    }
    const byConf = await confirm(build, kernelDir, layered, tools)
    const values = byConf ?? config.values
    if (byConf !== undefined) tellDifferences(config.values, byConf, tools)
    const mismatches = checkConfig(wanted, { file: `${kernel}/.config`, values }, definedNames(tree))
    const explain = explainKernelMismatch(tree, layered, symbolsFromOpenwrt(layers.openwrtConfig))
    requireAll(mismatches, 'the kernel’s configuration', tools, explain)
    return {
      has,
      overruled: overruled.map(({ line }) => line.symbol),
      lost: mismatches.map(({ symbol }) => symbol),
      asked: wanted.length,
      by: byConf === undefined ? 'fwbuild' : 'conf',
    }
  },
  adopt: (context, outputs) => {
    context.found.kernelHas = new Set(outputs.has)
    context.found.kernelOverruled = new Set(outputs.overruled)
    context.found.kernelLost = new Set(outputs.lost)
  },
  summary: ({ asked, lost, by }) =>
    `${asked - lost.length} of ${asked} kernel symbols will hold${by === 'conf' ? ', the kernel’s own conf agrees' : ''}`,
}

/**
 * The layers, with those members of choices turned off that would win over ours: OpenWrt's scripts/kconfig.pl sorts
 * by name, and conf takes the last member that is on.
 */
async function layersThatWin(
  context: OpenwrtContext,
  build: KernelBuild,
  tree: KconfigTree,
): Promise<KernelLayers> {
  const layers = await readKernelLayers(build)
  const asked = await wantedKernelSymbols(context)
  const rivals = rivalsOf(tree, asked, layeredKernelConfig(layers))
  if (rivals.length === 0) return layers
  await writeKernelConfig(context, [
    ...asked.filter(({ symbol }) => !rivals.includes(symbol)),
    ...rivals.map((symbol) => ({ symbol, value: 'n' })),
  ])
  return readKernelLayers(build)
}

/** What the kernel work needs, of a build's context. */
export async function kernelBuild(context: OpenwrtContext, tools: StepTools): Promise<KernelBuild> {
  const { tree, user } = context
  return { tree, user, signal: tools.signal, session: await context.session((text) => tools.line(text)) }
}

const symbolsOf = (tree: KconfigTree, names: readonly string[]): readonly string[] =>
  names.filter((name) => {
    const symbol = tree.byName.get(name)
    return symbol !== undefined && isDefined(symbol)
  })

async function confirm(
  build: KernelBuild,
  kernelDir: string,
  layered: ReadonlyMap<string, string>,
  tools: StepTools,
): Promise<ReadonlyMap<string, string> | undefined> {
  tools.progress({ item: 'asking the kernel’s own conf' })
  await using draft = await draftConfig(build, kernelDir, layered)
  const values = await completeByConf(build, draft, tools.line)
  if (values === undefined) tools.note('the kernel’s own conf can’t run here, so it did not confirm this')
  return values
}

/** From 22.03 on the kernel's build fails where its configuration has no answer. */
const stopsAtQuestions = (tree: string): boolean =>
  readTreeText(tree, 'include/kernel-build.mk')?.includes('FAIL_ON_UNCONFIGURED') === true

const shownQuestions = 10

/**
 * Only what our layers bring up: the others depend on the toolchain's compiler, which is not built yet.
 * @param below what the tree's own layers leave open
 */
function tellQuestions(open: readonly string[], below: readonly string[], tools: StepTools): void {
  const ours = open.filter((name) => !below.includes(name))
  if (ours.length === 0) return
  const more = ours.length > shownQuestions ? ` and ${ours.length - shownQuestions} more` : ''
  tools.note(
    `no layer answers ${ours.slice(0, shownQuestions).join(', ')}${more}: the kernel’s build may stop there; ` +
      'add a line for each to a fragment',
    'warn',
  )
}

const shownDifferences = 5

/** conf is right by definition; a difference is a flaw of ours that nobody should have to guess. */
function tellDifferences(
  ours: ReadonlyMap<string, string>,
  theirs: ReadonlyMap<string, string>,
  tools: StepTools,
): void {
  const names = [...new Set([...ours.keys(), ...theirs.keys()])]
    .filter((name) => (ours.get(name) ?? 'n') !== (theirs.get(name) ?? 'n'))
    .sort()
  if (names.length === 0) return
  const shown = names
    .slice(0, shownDifferences)
    .map((name) => `${name} (${theirs.get(name) ?? 'n'}, not ${ours.get(name) ?? 'n'})`)
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : ''
  tools.note(`conf sees ${shown.join(', ')}${more} otherwise than fwbuild; conf’s values count`, 'warn')
}
