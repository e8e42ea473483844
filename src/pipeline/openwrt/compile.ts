import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import { checkConfig } from '../../core/kconfig/check.ts'
import { parseDotConfig } from '../../core/kconfig/dot-config.ts'
import type { Step, StepTools } from '../run.ts'
import { wantedKernelSymbols, requireAll } from './configure.ts'
import type { OpenwrtContext, TargetFile } from './context.ts'
import { make } from './make.ts'

type CompileOutputs = {
  readonly files: readonly TargetFile[]
  readonly kernelConfig: string
  readonly kernelSymbols: number
  readonly items: number
}

const targetFolder = 'bin/targets/x86/64'

/** Tools, toolchain, kernel (whose final configuration is checked at once), packages, images. */
export const compileStep: Step<OpenwrtContext, CompileOutputs> = {
  id: 'compile',
  title: 'Compile',
  inputs: async (context) => ({
    commit: context.found.commit,
    feeds: context.found.feeds.map(({ name, commit }) => ({ name, commit })),
    config: context.found.configDigest,
    kernelSymbols: (await wantedKernelSymbols(context)).map(({ symbol, value }) => `${symbol}=${value}`),
    buildroot: context.buildrootInputs,
  }),
  run: async (context, tools) => {
    // Without it each missing archive costs half a minute of retries against a network that is not there.
    const settings = ['CONFIG_DOWNLOAD_TOOL_CUSTOM=false']
    let items = 0
    for (const target of ['tools/install', 'toolchain/install', 'target/compile']) {
      items += await make(context, [target], tools, { settings })
    }
    const { path, symbols } = await checkKernel(context, tools)
    items += await make(context, ['world'], tools, { settings })
    await checkKernel(context, tools)
    return { files: await listTarget(context), kernelConfig: path, kernelSymbols: symbols, items }
  },
  intact: async (context, outputs) => {
    const present = new Map((await listTarget(context).catch(() => [])).map((file) => [file.name, file]))
    return outputs.files.every((file) => {
      const found = present.get(file.name)
      return found?.bytes === file.bytes && found.mtimeMs === file.mtimeMs
    })
  },
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
  const path = await findKernelConfig(context)
  const wanted = await wantedKernelSymbols(context)
  const mismatches = checkConfig(wanted, parseDotConfig(await readFile(path, 'utf8'), path))
  requireAll(mismatches, 'the kernel’s final .config', tools)
  return { path, symbols: wanted.length - mismatches.length }
}

/** build_dir/target-…/linux-x86_64/linux-…/.config: the copies beside it give false positives. */
async function findKernelConfig(context: OpenwrtContext): Promise<string> {
  const buildDir = join(context.tree, 'build_dir')
  for (const target of (await readdir(buildDir)).filter((name) => name.startsWith('target-')).sort()) {
    const linux = join(buildDir, target, 'linux-x86_64')
    if (!existsSync(linux)) continue
    for (const name of (await readdir(linux)).sort()) {
      const file = join(linux, name, '.config')
      if (/^linux-\d/.test(name) && existsSync(file)) return file
    }
  }
  throw buildError(
    'E_KERNEL_CONFIG',
    `no kernel configuration below ${buildDir} after the kernel was compiled`,
  )
}

async function listTarget(context: OpenwrtContext): Promise<readonly TargetFile[]> {
  const folder = join(context.tree, targetFolder)
  const entries = await readdir(folder, { withFileTypes: true })
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort()
      .map(async (name) => {
        const { size, mtimeMs } = await stat(join(folder, name))
        return { name, bytes: size, mtimeMs }
      }),
  )
}

/** A file of bin/targets/x86/64 by its path on this machine. */
export const targetPath = (context: OpenwrtContext, name: string): string =>
  join(context.tree, targetFolder, name)
