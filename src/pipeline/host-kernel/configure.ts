import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { inChoices } from '../../core/kconfig/choice-order.ts'
import { checkConfig, type ConfigMismatch } from '../../core/kconfig/check.ts'
import { configLine, parseDotConfig } from '../../core/kconfig/dot-config.ts'
import { renderFragment } from '../../core/kconfig/merge.ts'
import { originText, type Assignment, type DotConfig } from '../../core/kconfig/types.ts'
import { definedNames } from '../../core/kconfig/tree/model.ts'
import { explainKernelMismatch } from '../kernel/kernel-why.ts'
import { readKernelInside } from '../kernel/read-kernel.ts'
import { requireAll, tellOverruled } from '../kernel/require-symbols.ts'
import type { Step, StepTools } from '../run.ts'
import { readBaseConfig, runningConfig, type BaseConfig } from './base-config.ts'
import type { HostKernelContext } from './context.ts'
import { loadHostFragments, mergeHostFragments } from './fragments.ts'
import { kbuild } from './kbuild.ts'

type ConfigureOutputs = {
  readonly digest: string
  readonly base: string
  readonly asked: number
  readonly lost: readonly string[]
}

/**
 * The configuration, complete and frozen before the first compile: a later change would compile everything again.
 * Every requested symbol is checked; a lost one is explained.
 */
export const hostConfigureStep: Step<HostKernelContext, ConfigureOutputs> = {
  id: 'configure',
  title: 'Configure the kernel',
  version: 1,
  inputs: async (context, tools) => ({
    source: context.found.origin?.id ?? '',
    // Patches may change Kconfig files.
    patched: context.found.patchedDigest,
    base: await baseStamp(context, tools),
    localversion: context.spec.localversion,
    fragments: (await loadHostFragments(context, context.zfsOn)).map(({ file, sha256: sum }) => ({
      file,
      sha256: sum,
    })),
    buildroot: context.buildrootInputs,
  }),
  run: async (context, tools) => {
    const base = await readBaseConfig(context, tools)
    const fragments = await loadHostFragments(context, context.zfsOn)
    const { assignments, redefinitions } = mergeHostFragments(
      fragments,
      context.found.kernelVersion,
      context.spec.localversion,
    )
    for (const { earlier, later, kept } of redefinitions) {
      const [won, lost] = kept === 'later' ? [later, earlier] : [earlier, later]
      tools.note(
        `${won.symbol}=${won.value} (${originText(won.origin)}) replaces ${lost.value} (${originText(lost.origin)})`,
      )
    }
    const fragment = renderFragment(assignments, ['written by fwbuild from its layered fragments'])
    const text = await complete(context, base, fragment, tools)
    const config = parseDotConfig(text, '.config')
    const mismatches = await checkAll(context, assignments, config, tools)
    return {
      digest: sha256(text),
      base: base.text,
      asked: assignments.length,
      lost: mismatches.map(({ symbol }) => symbol),
    }
  },
  intact: async (context, outputs) => {
    const text = context.area.text(join(context.places.obj, '.config'))
    return text !== undefined && sha256(text) === outputs.digest
  },
  adopt: (context, outputs) => {
    context.found.configDigest = outputs.digest
    context.found.configBase = outputs.base
  },
  summary: ({ base, asked, lost }) => `from ${base}; ${asked - lost.length} of ${asked} symbols confirmed`,
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** What tells two base configurations apart; the distribution's follows from the source. */
async function baseStamp(context: HostKernelContext, tools: StepTools): Promise<string> {
  const { config } = context.spec
  if (config.kind === 'distro' || config.kind === 'small' || config.kind === 'micro') return config.kind
  if (config.kind === 'auto') {
    // Which of the two it is must not be asked of the network.
    const running = await runningConfig(tools.signal)
    return running?.config === undefined ? 'distro' : sha256(running.config)
  }
  const { config: text, modules } = await readBaseConfig(context, tools)
  return sha256(JSON.stringify([text, modules === undefined ? null : moduleNames(modules)]))
}

/** Sizes and use counts change from minute to minute. */
const moduleNames = (lsmod: string): readonly string[] =>
  lsmod
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .sort()

async function complete(
  context: HostKernelContext,
  base: BaseConfig,
  fragment: string,
  tools: StepTools,
): Promise<string> {
  const { area, places } = context
  area.makeFolder(places.obj)
  const write = async (name: string, text: string): Promise<string> => {
    const file = join(places.obj, name)
    area.write(file, text)
    return (await context.session(tools.line)).inside(file)
  }
  const requested = await write('fwbuild.config', fragment)
  if (base.config === undefined) {
    await kbuild(context, [`KCONFIG_ALLCONFIG=${requested}`, 'allnoconfig'], tools)
  } else {
    if (base.modules !== undefined) {
      await write('.config', base.config)
      await kbuild(context, ['olddefconfig'], tools)
      const lsmod = await write('fwbuild.lsmod', base.modules)
      await kbuild(context, [`LSMOD=${lsmod}`, 'localmodconfig'], tools)
    }
    const below = base.modules === undefined ? base.config : area.requireText(join(places.obj, '.config'))
    await write('.config', layered(below, fragment))
    await kbuild(context, ['olddefconfig'], tools)
  }
  return area.requireText(join(places.obj, '.config'))
}

/** The last line of a symbol counts, but conf warns of every second one. */
function layered(base: string, fragment: string): string {
  const values = new Map(parseDotConfig(base, 'the base configuration').values)
  for (const [symbol, value] of parseDotConfig(fragment, 'the fragments').values) {
    values.delete(symbol)
    values.set(symbol, value)
  }
  return `${[...values].map(([symbol, value]) => configLine(symbol, value)).join('\n')}\n`
}

/**
 * Optional symbols that were lost are told; for required ones the kernel's Kconfig files say why.
 * @throws build error E_CONFIG_DROPPED
 */
async function checkAll(
  context: HostKernelContext,
  assignments: readonly Assignment[],
  config: DotConfig,
  tools: StepTools,
): Promise<readonly ConfigMismatch[]> {
  const where = 'the kernel’s .config'
  const mismatches = checkConfig(assignments, config)
  if (mismatches.every(({ assignment }) => assignment.need === 'optional')) {
    requireAll(mismatches, where, tools)
    return mismatches
  }
  // Reading the tree takes seconds, so only when there is something to explain.
  const session = await context.session(tools.line)
  const tree = await readKernelInside({ session, signal: tools.signal }, context.places.src)
  const explain = explainKernelMismatch(tree, config.values, new Set())
  const { wanted, overruled } = inChoices(tree, assignments)
  tellOverruled(overruled, tools)
  const lost = checkConfig(wanted, config, definedNames(tree))
  requireAll(lost, where, tools, explain)
  return lost
}
