import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { usageError } from '../../core/errors.ts'
import { versionInHeader } from '../../core/kconfig/config-header.ts'
import { parseDotConfig } from '../../core/kconfig/dot-config.ts'
import { parseFragment } from '../../core/kconfig/fragment.ts'
import { nearestNames } from '../../core/kconfig/nearest.ts'
import { seriesText } from '../../core/kconfig/series.ts'
import type { OverruledLine } from '../../core/kconfig/choice-order.ts'
import { originText, type DotConfig, type Fragment } from '../../core/kconfig/types.ts'
import { readConfigText } from '../../effects/config-files.ts'
import type { Io } from '../io.ts'
import { projectDir } from '../project.ts'

export interface ConfigFile {
  readonly text: string
  readonly config: DotConfig
  /** From its header. */
  readonly kernel: string | undefined
}

export async function readConfigFile(name: string, io: Io): Promise<ConfigFile> {
  const text = await readConfigText(resolve(io.cwd, name))
  return { text, config: parseDotConfig(text, name), kernel: versionInHeader(text) }
}

export interface GivenFragment {
  readonly fragment: Fragment
  /** One of ours, asked for by its short name. */
  readonly own: boolean
}

/** Reads a fragment by file name, or one of ours by its short name. */
export async function readFragment(name: string, io: Io): Promise<GivenFragment> {
  const path = resolve(io.cwd, name)
  if (existsSync(path) || /[./]/.test(name))
    return { fragment: parseFragment(await readConfigText(path), name), own: false }
  const ours = await ownFragments()
  const file = ours.get(name)
  if (file !== undefined)
    return { fragment: parseFragment(await readConfigText(join(projectDir, file)), file), own: true }
  const [nearest] = nearestNames(name, ours.keys(), 1)
  throw usageError('E_FRAGMENT_MISSING', `${name}: no such file, and no fragment of fwbuild has that name`, {
    hint:
      nearest === undefined
        ? `Ours are ${[...ours.keys()].sort().join(', ')}.`
        : `Did you mean '${nearest}'?`,
  })
}

/** Our own fragments: short name to file below the project. */
async function ownFragments(): Promise<ReadonlyMap<string, string>> {
  const root = 'kconfig-fragments'
  const found = new Map<string, string>()
  for (const folder of ['hv', 'share', 'host'])
    for (const entry of await readdir(join(projectDir, root, folder)))
      if (entry.endsWith('.config')) found.set(entry.slice(0, -'.config'.length), join(root, folder, entry))
  return found
}

/** Tells which lines another member of their choice beats. */
export function reportOverruled(overruled: readonly OverruledLine[], io: Io): void {
  for (const { line, by } of overruled)
    io.stderr(
      `overruled: ${line.symbol}=${line.value} (${originText(line.origin)}) by ${by.symbol}=${by.value} (${originText(by.origin)}) of the same choice\n`,
    )
}

/** What our own fragments know of the kernels that have a symbol. */
export async function knownSeries(): Promise<ReadonlyMap<string, string>> {
  const known = new Map<string, string>()
  for (const file of (await ownFragments()).values()) {
    const { groups } = parseFragment(await readConfigText(join(projectDir, file)), file)
    for (const { since, until, assignments } of groups) {
      if (since === undefined && until === undefined) continue
      const text = [
        ...(since === undefined ? [] : [`since kernel ${seriesText(since)}`]),
        ...(until === undefined ? [] : [`until kernel ${seriesText(until)}`]),
      ].join(' ')
      for (const { symbol, value } of assignments) if (value !== 'n') known.set(symbol, `exists ${text}`)
    }
  }
  return known
}

/**
 * The kernel that fragments are for: as given, of the tree, or of the configuration.
 * @throws usage error E_KERNEL_VERSION
 */
export function kernelFor(candidates: readonly (string | undefined)[]): string {
  const version = candidates.find((candidate) => candidate !== undefined)
  if (version !== undefined) return version
  throw usageError('E_KERNEL_VERSION', 'which kernel is this for? Neither the tree nor the .config says it', {
    hint: 'Give it: --kernel 6.12',
  })
}
