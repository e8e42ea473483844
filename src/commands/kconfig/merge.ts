import { resolve } from 'node:path'
import { buildError } from '../../core/errors.ts'
import { checkConfig } from '../../core/kconfig/check.ts'
import { inChoices, type ChoiceOrder } from '../../core/kconfig/choice-order.ts'
import { mergeFragments, renderFragment, type MergedFragments } from '../../core/kconfig/merge.ts'
import { selectForKernel } from '../../core/kconfig/select.ts'
import { originText, type Assignment, type DotConfig } from '../../core/kconfig/types.ts'
import { atomicWrite } from '../../effects/files.ts'
import type { Io } from '../io.ts'
import { kernelFor, readConfigFile, readFragment, reportOverruled } from './files.ts'

interface MergeOptions {
  readonly output?: string
  readonly tree?: string
  readonly kernel?: string
  readonly json?: boolean
}

/** `fwbuild kconfig merge`: the last file wins, as the order on the command line says. */
export async function mergeCommand(
  baseName: string,
  fragmentNames: readonly string[],
  options: MergeOptions,
  io: Io,
): Promise<void> {
  const base = await readConfigFile(baseName, io)
  const directory = options.tree === undefined ? undefined : resolve(io.cwd, options.tree)
  const tree = directory === undefined ? undefined : await openTree(directory)
  const kernel = kernelFor([options.kernel, tree?.version, base.kernel])
  const fragments = await Promise.all(fragmentNames.map((name) => readFragment(name, io)))
  const layers = fragments.map(({ fragment, own }) => ({
    assignments: selectForKernel(fragment, kernel).assignments,
    literal: !own,
  }))
  const merged = mergeFragments([baseLayer(base.config), ...layers])
  const result =
    tree === undefined
      ? merged.assignments.map(({ symbol, value }) => ({ symbol, value }))
      : tree.resolve(valuesOf(merged.assignments))
  const final = { file: 'the result', values: valuesOf(result) }
  const choices = tree?.inChoices(mergeFragments(layers).assignments)
  const misses = choices === undefined ? [] : checkConfig(choices.wanted, final, tree?.symbols)
  report(merged, io)
  if (choices !== undefined) reportOverruled(choices.overruled, io)
  for (const miss of misses)
    io.stderr(
      `${miss.status}: ${miss.symbol}=${miss.wanted} of ${originText(miss.assignment.origin)}: ${miss.why}\n`,
    )
  const text = renderFragment(result)
  if (options.output !== undefined) await atomicWrite(resolve(io.cwd, options.output), text)
  if (options.json === true)
    io.stdout(
      `${JSON.stringify({ version: 1, kernel, assignments: result, redefinitions: merged.redefinitions, ...(choices === undefined ? {} : { overruled: choices.overruled }), misses }, null, 2)}\n`,
    )
  else if (options.output === undefined) io.stdout(Buffer.from(text))
  const lost = misses.filter((miss) => miss.assignment.need === 'required')
  if (lost.length > 0)
    throw buildError('E_KCONFIG_DROPPED', `${lost.length} required symbols do not survive in this kernel`, {
      hint: `'fwbuild kconfig why ${lost[0]?.symbol}' tells what is missing.`,
    })
}

interface Line {
  readonly symbol: string
  readonly value: string
}

const valuesOf = (lines: readonly Line[]): ReadonlyMap<string, string> =>
  new Map(lines.map((line) => [line.symbol, line.value]))

interface OpenTree {
  readonly version: string | undefined
  readonly symbols: ReadonlySet<string>
  readonly inChoices: (wanted: readonly Assignment[]) => ChoiceOrder
  /** The whole configuration that a kernel makes of these values. */
  readonly resolve: (values: ReadonlyMap<string, string>) => readonly Line[]
}

/** Loads the Kconfig reader only when a tree was given. */
async function openTree(directory: string): Promise<OpenTree> {
  const { kernelVersion, readKernelTree } = await import('../../effects/kconfig-tree.ts')
  const { evaluate } = await import('../../core/kconfig/tree/evaluate.ts')
  const { definedNames } = await import('../../core/kconfig/tree/model.ts')
  const tree = readKernelTree(directory)
  return {
    version: kernelVersion(directory),
    symbols: definedNames(tree),
    inChoices: (wanted) => inChoices(tree, wanted),
    resolve: (values) => [...evaluate(tree, { values }).values].map(([symbol, value]) => ({ symbol, value })),
  }
}

function baseLayer(config: DotConfig): { assignments: readonly Assignment[]; literal: boolean } {
  const assignments = [...config.values].map(([symbol, value]): Assignment => ({
    symbol,
    value,
    need: 'optional',
    origin: { file: config.file, line: config.lines.get(symbol) ?? 0 },
  }))
  return { assignments, literal: true }
}

function report(merged: MergedFragments, io: Io): void {
  for (const { earlier, later, kept } of merged.redefinitions) {
    const [was, is] = [earlier, later].map((line) => `${line.value} (${originText(line.origin)})`)
    io.stderr(
      kept === 'later'
        ? `redefined: ${later.symbol}=${is} over ${was}\n`
        : `kept: ${later.symbol}=${was} serves ${is}\n`,
    )
  }
}
