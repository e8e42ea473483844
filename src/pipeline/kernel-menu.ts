import { join, relative } from 'node:path'
import { buildError } from '../core/errors.ts'
import { changedLines, differingNames } from '../core/kconfig/changed-lines.ts'
import { renderFragment } from '../core/kconfig/merge.ts'
import { layeredKernelConfig, symbolsFromOpenwrt, type KernelLayers } from '../core/openwrt/kernel-layers.ts'
import type { Terminal } from '../effects/engine.ts'
import { atomicWrite } from '../effects/files.ts'
import { inBuild } from './openwrt-session.ts'
import type { OpenwrtContext, OpenwrtSettings } from './openwrt/context.ts'
import { completeByConf, draftConfig } from './openwrt/kernel-conf.ts'
import { readKernelLayers } from './openwrt/kernel-layers.ts'
import { readKernelInside } from './kernel/read-kernel.ts'
import { findKernelTree, type KernelBuild } from './openwrt/kernel-tree.ts'

export interface MenuOptions {
  readonly signal: AbortSignal
  readonly terminal: Terminal
  readonly tell: (text: string) => void
}

type Values = ReadonlyMap<string, string>

/**
 * Runs the kernel's menuconfig in the session of a build, on its layered configuration, and finds the lines
 * that say what the user changed. The build's own .config is never touched.
 * @returns a fragment; undefined when nothing was changed
 * @throws usage error E_NO_TREE; build errors E_KERNEL_TREE | E_MENU | E_MENU_NOT_REPRODUCED
 */
export async function kernelMenu(
  settings: OpenwrtSettings,
  options: MenuOptions,
): Promise<string | undefined> {
  return inBuild(settings, 'fwbuild kconfig menu', options.signal, options.tell, async (context) => {
    const kernelDir = join(context.tree, findKernelTree(context.tree))
    const build: KernelBuild = {
      ...context,
      signal: options.signal,
      session: await context.session(() => {}),
    }
    const layers = await readKernelLayers(build)
    options.tell('building the kernel’s menuconfig…')
    const after = await edited(build, kernelDir, layeredKernelConfig(layers), options.terminal)
    if (after === undefined) return undefined
    options.tell('finding the lines that say what was changed…')
    const saved = join(context.stateDir, 'menu.config')
    await atomicWrite(saved, renderFragment(assignments(after)))
    const lines = await provenLines(build, kernelDir, layers, after, saved)
    if (lines.size === 0) return undefined
    const kernel = relative(join(kernelDir, '..'), kernelDir)
    return renderFragment(assignments(lines), [
      `changed with fwbuild kconfig menu, ${describe(context)}, ${kernel}`,
    ])
  })
}

const describe = (context: OpenwrtContext): string => `release ${context.spec.release.name}`

const assignments = (values: Values) => [...values].map(([symbol, value]) => ({ symbol, value }))

async function completed(build: KernelBuild, kernelDir: string, values: Values): Promise<Values> {
  const output: string[] = []
  await using draft = await draftConfig(build, kernelDir, values)
  const complete = await completeByConf(build, draft, (line) => output.push(line))
  if (complete !== undefined) return complete
  throw buildError('E_MENU', ['the kernel’s own conf failed:', ...output.slice(-8)].join('\n  '))
}

/**
 * Starts from the layers as they are, not completed: what they ask for in vain comes into its own when the
 * user turns on what it depends on, and what was only selected goes when that is turned off.
 * @returns what was saved; undefined when nothing was
 */
async function edited(
  build: KernelBuild,
  kernelDir: string,
  layered: Values,
  terminal: Terminal,
): Promise<Values | undefined> {
  await using draft = await draftConfig(build, kernelDir, layered)
  const before = draft.read() ?? new Map()
  const exitCode = await build.session.interactive(draft.makeArguments('menuconfig'), build.tree, terminal)
  if (exitCode === 0) {
    const after = draft.read()
    return after === undefined || differingNames(before, after).length === 0 ? undefined : after
  }
  throw buildError('E_MENU', `menuconfig ended with ${exitCode}`, {
    hint: 'its output stands above; the terminal needs at least 19 lines by 80 columns',
  })
}

/** Lines that our own evaluation finds and the kernel's own conf confirms. */
async function provenLines(
  build: KernelBuild,
  kernelDir: string,
  layers: KernelLayers,
  wanted: Values,
  saved: string,
): Promise<Values> {
  const merge = (lines: Values): Values =>
    layeredKernelConfig({ ...layers, stack: [...layers.stack, renderFragment(assignments(lines))] })
  const tree = await readKernelInside(build, kernelDir)
  const { lines, unreachable } = changedLines({ tree, wanted, merge })
  if (unreachable.length > 0)
    throw notReproduced(unreachable, saved, symbolsFromOpenwrt(layers.openwrtConfig))
  const reproduced = await completed(build, kernelDir, merge(lines))
  const differing = differingNames(reproduced, wanted)
  if (differing.length > 0) throw notReproduced(differing, saved, new Set())
  return lines
}

function notReproduced(names: readonly string[], saved: string, decided: ReadonlySet<string>): Error {
  const told = names
    .slice(0, 10)
    .map((name) => (decided.has(name) ? `${name} (CONFIG_KERNEL_${name})` : name))
  const more = names.length > told.length ? `, and ${names.length - told.length} more` : ''
  const byOpenwrt = names.some((name) => decided.has(name))
  return buildError(
    'E_MENU_NOT_REPRODUCED',
    `no kernel fragment gives what was chosen for ${told.join(', ')}${more}`,
    {
      hint: [
        ...(byOpenwrt ? ['OpenWrt’s own CONFIG_KERNEL_… symbols beat every kernel fragment'] : []),
        `the whole configuration as chosen is kept in ${saved}`,
      ].join('\n'),
    },
  )
}
