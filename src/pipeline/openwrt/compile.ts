import { dirname, join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import { checkConfig } from '../../core/kconfig/check.ts'
import { symbolsFromOpenwrt } from '../../core/openwrt/kernel-layers.ts'
import { definedNames } from '../../core/kconfig/tree/model.ts'
import { parseDotConfig } from '../../core/kconfig/dot-config.ts'
import { stampFiles, stampsHold, type FileStamp } from '../../effects/file-stamps.ts'
import type { Step, StepTools } from '../run.ts'
import { wantedKernelSymbols } from './configure.ts'
import type { OpenwrtContext } from './context.ts'
import { kernelBuild } from './kernel-config.ts'
import { readKernelInside } from '../kernel/read-kernel.ts'
import { findKernelTree } from './kernel-tree.ts'
import { explainKernelMismatch } from '../kernel/kernel-why.ts'
import { requireAll } from '../kernel/require-symbols.ts'
import { make, offlineDownloads } from './make.ts'
import { readTreeText } from './tree-files.ts'

type CompileOutputs = {
  readonly files: readonly FileStamp[]
  readonly kernelConfig: string
  readonly kernelSymbols: number
  /** What make went through, by target: next time's totals. */
  readonly items: { readonly [target: string]: number }
}

const targetFolder = 'bin/targets/x86/64'

/** Tools, toolchain, kernel (whose final configuration is checked at once), packages, images. */
export const compileStep: Step<OpenwrtContext, CompileOutputs> = {
  id: 'compile',
  title: 'Compile',
  version: 1,
  inputs: async (context) => ({
    commit: context.found.commit,
    feeds: context.found.feeds.map(({ name, commit }) => ({ name, commit })),
    config: context.found.configDigest,
    kernelSymbols: (await wantedKernelSymbols(context)).map(({ symbol, value }) => `${symbol}=${value}`),
    buildroot: context.buildrootInputs,
  }),
  run: async (context, tools) => {
    const settings = offlineDownloads
    const before = (tools.previous as CompileOutputs | undefined)?.items
    const items: Record<string, number> = {}
    const makeTarget = async (target: string): Promise<void> => {
      const expectedItems = before?.[target]
      items[target] = await make(context, [target], tools, {
        settings,
        ...(expectedItems === undefined ? {} : { expectedItems }),
      })
    }
    for (const target of ['tools/install', 'toolchain/install', 'target/compile']) await makeTarget(target)
    const { path, symbols } = await checkKernel(context, tools)
    await makeTarget('world')
    await checkKernel(context, tools)
    return {
      files: await stampFiles(context.tree, targetFolder),
      kernelConfig: path,
      kernelSymbols: symbols,
      items,
    }
  },
  intact: (context, outputs) => stampsHold(context.tree, outputs.files, targetFolder),
  adopt: (context, outputs) => {
    context.found.targetFiles = outputs.files
    context.found.kernelConfig = outputs.kernelConfig
  },
  summary: ({ kernelSymbols, files }) => `${kernelSymbols} kernel symbols confirmed, ${files.length} files`,
}

/** Every requested kernel symbol against the configuration that the kernel was really built with. */
async function checkKernel(
  context: OpenwrtContext,
  tools: StepTools,
): Promise<{ readonly path: string; readonly symbols: number }> {
  const kernel = findKernelTree(context.tree)
  const path = join(context.tree, kernel, '.config')
  // The copies beside it (.config.set, .config.target) give false positives.
  const text = readTreeText(context.tree, `${kernel}/.config`)
  if (text === undefined) {
    throw buildError('E_KERNEL_CONFIG', `no kernel configuration ${path} after the kernel was compiled`)
  }
  const wanted = await wantedKernelSymbols(context)
  const config = parseDotConfig(text, path)
  const mismatches = checkConfig(wanted, config)
  const told = context.found.kernelLost
  const news = mismatches.filter(({ symbol }) => !told.has(symbol))
  const where = 'the kernel’s final .config'
  if (news.some(({ assignment }) => assignment.need === 'required')) {
    // Reading the tree takes seconds, so only when there is something to explain.
    const tree = await readKernelInside(await kernelBuild(context, tools), dirname(path))
    const better = checkConfig(wanted, config, definedNames(tree)).filter(({ symbol }) => !told.has(symbol))
    const byOpenwrt = symbolsFromOpenwrt(readTreeText(context.tree, '.config') ?? '')
    requireAll(better, where, tools, explainKernelMismatch(tree, config.values, byOpenwrt))
  } else requireAll(news, where, tools)
  context.found.kernelLost = new Set(mismatches.map(({ symbol }) => symbol))
  return { path, symbols: wanted.length - mismatches.length }
}

/** A file of bin/targets/x86/64 by its path below the tree. */
export const targetPath = (name: string): string => `${targetFolder}/${name}`
