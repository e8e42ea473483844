import { resolve } from 'node:path'
import { buildError } from '../../core/errors.ts'
import { checkConfig } from '../../core/kconfig/check.ts'
import { mergeFragments, renderFragment, type MergedFragments } from '../../core/kconfig/merge.ts'
import { selectForKernel } from '../../core/kconfig/select.ts'
import { originText, type Assignment, type DotConfig } from '../../core/kconfig/types.ts'
import type { KconfigTree } from '../../core/kconfig/tree/model.ts'
import { atomicWrite } from '../../effects/files.ts'
import type { Io } from '../io.ts'
import { kernelFor, readConfigFile, readFragment } from './files.ts'

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
  const reader = directory === undefined ? undefined : await import('../../effects/kconfig-tree.ts')
  const treeVersion = directory === undefined ? undefined : reader?.kernelVersion(directory)
  const kernel = kernelFor([options.kernel, treeVersion, base.kernel])
  const fragments = await Promise.all(fragmentNames.map((name) => readFragment(name, io)))
  const layers = fragments.map((fragment) => selectForKernel(fragment, kernel).assignments)
  const merged = mergeFragments([
    baseLayer(base.config),
    ...layers.map((assignments) => ({ assignments, literal: true })),
  ])
  const wanted = mergeFragments(layers.map((assignments) => ({ assignments, literal: true }))).assignments
  const result =
    reader === undefined || directory === undefined
      ? merged.assignments.map(({ symbol, value }) => ({ symbol, value }))
      : await resolveIn(reader.readKernelTree(directory), merged)
  const misses =
    reader === undefined ? [] : checkConfig(wanted, { file: 'the result', values: valuesOf(result) })
  report(merged, io)
  for (const miss of misses)
    io.stderr(
      `${miss.status}: ${miss.symbol}=${miss.wanted} of ${originText(miss.assignment.origin)}: ${miss.why}\n`,
    )
  const text = renderFragment(result)
  if (options.output !== undefined) await atomicWrite(resolve(io.cwd, options.output), text)
  if (options.json === true)
    io.stdout(
      `${JSON.stringify({ version: 1, kernel, assignments: result, redefinitions: merged.redefinitions, misses }, null, 2)}\n`,
    )
  else if (options.output === undefined) io.stdout(text)
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

async function resolveIn(tree: KconfigTree, merged: MergedFragments): Promise<readonly Line[]> {
  const { evaluate } = await import('../../core/kconfig/tree/evaluate.ts')
  return [...evaluate(tree, { values: valuesOf(merged.assignments) }).values].map(([symbol, value]) => ({
    symbol,
    value,
  }))
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
    const [from, to] = kept === 'later' ? [earlier, later] : [later, earlier]
    io.stderr(
      `redefined: ${to.symbol}=${to.value} (${originText(to.origin)}) over ${from.value} (${originText(from.origin)})\n`,
    )
  }
}
