import { resolve } from 'node:path'
import { buildError } from '../../core/errors.ts'
import { checkConfig, checkStatus, type ConfigMismatch } from '../../core/kconfig/check.ts'
import { inChoices, type ChoiceOrder } from '../../core/kconfig/choice-order.ts'
import { mergeFragments } from '../../core/kconfig/merge.ts'
import { selectForKernel } from '../../core/kconfig/select.ts'
import { originText, type Assignment, type DotConfig } from '../../core/kconfig/types.ts'
import type { Io } from '../io.ts'
import { kernelFor, knownSeries, readConfigFile, readFragment, reportOverruled } from './files.ts'

const noSeries: ReadonlyMap<string, string> = new Map()

interface CheckOptions {
  readonly config: string
  readonly fragment: readonly string[]
  readonly tree?: string
  readonly kernel?: string
  readonly json?: boolean
}

/** `fwbuild kconfig check`: exit 1 when a required line did not survive. */
export async function checkCommand(options: CheckOptions, io: Io): Promise<void> {
  const final = await readConfigFile(options.config, io)
  const tree = options.tree === undefined ? undefined : await openTree(options.tree, io)
  const kernel = kernelFor([options.kernel, tree?.version, final.kernel])
  const fragments = await Promise.all(options.fragment.map((name) => readFragment(name, io)))
  const exists = tree === undefined ? undefined : (symbol: string) => tree.symbols.has(symbol)
  const merged = mergeFragments(
    fragments.map(({ fragment, own }) => ({
      assignments: selectForKernel(fragment, kernel, exists).assignments,
      literal: !own,
    })),
  ).assignments
  const choices = tree?.inChoices(merged)
  const wanted = choices?.wanted ?? merged
  if (choices !== undefined) reportOverruled(choices.overruled, io)
  const misses = checkConfig(wanted, final.config, tree?.symbols)
  const series = misses.some((miss) => miss.status === 'missing') ? await knownSeries() : noSeries
  const explain = misses.length === 0 ? undefined : tree?.explainer(final.config)
  const explained = misses.map((miss) => ({
    ...miss,
    why: [miss.why, series.get(miss.symbol)].filter((part) => part !== undefined).join('; '),
    because: explain?.(miss),
  }))
  const required = misses.filter((miss) => miss.assignment.need === 'required')
  if (options.json === true) {
    const stronger = wanted.filter((line) => checkStatus(line, final.config) === 'stronger').length
    io.stdout(
      `${JSON.stringify({ version: 1, kernel, wanted: wanted.length, stronger, misses: explained }, null, 2)}\n`,
    )
  } else io.stdout(checkText(wanted, explained))
  if (required.length === 0) return
  throw buildError(
    'E_KCONFIG_DROPPED',
    `${required.length} required of ${wanted.length} wanted symbols did not survive`,
    {
      hint:
        tree === undefined
          ? 'With --tree KERNEL this tells what each of them is missing.'
          : whyHint(required),
    },
  )
}

const whyHint = (misses: readonly ConfigMismatch[]): string =>
  `'fwbuild kconfig why ${misses[0]?.symbol}=${misses[0]?.wanted} --fix …' prints lines that make it hold.`

interface OpenTree {
  readonly version: string | undefined
  readonly symbols: ReadonlySet<string>
  readonly inChoices: (wanted: readonly Assignment[]) => ChoiceOrder
  readonly explainer: (final: DotConfig) => (miss: ConfigMismatch) => string
}

/** Loads the Kconfig reader only when a tree was given: the plain check stays fast. */
async function openTree(name: string, io: Io): Promise<OpenTree> {
  const { kernelVersion, readKernelTree } = await import('../../effects/kconfig-tree.ts')
  const { definedNames } = await import('../../core/kconfig/tree/model.ts')
  const { createExplainer } = await import('../../core/kconfig/why/explain.ts')
  const { explanationText } = await import('../../core/kconfig/why/text.ts')
  const directory = resolve(io.cwd, name)
  const tree = readKernelTree(directory)
  return {
    version: kernelVersion(directory),
    symbols: definedNames(tree),
    inChoices: (wanted) => inChoices(tree, wanted),
    explainer: (final) => {
      const explain = createExplainer(tree, final)
      return (miss) => explanationText(explain({ symbol: miss.symbol, value: miss.wanted }))
    },
  }
}

function checkText(
  wanted: readonly Assignment[],
  misses: readonly (ConfigMismatch & { because: string | undefined })[],
): string {
  const lines = misses.map((miss) => {
    const { symbol, wanted: value, assignment, status, why, because } = miss
    const head = `${status} (${assignment.need}): ${symbol}=${value}, wanted by ${originText(assignment.origin)}: ${why}\n`
    return because === undefined ? head : head + because.replaceAll(/^(?=.)/gm, '  ')
  })
  return `${lines.join('')}${wanted.length - misses.length} of ${wanted.length} wanted symbols hold\n`
}
