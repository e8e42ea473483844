import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { usageError } from '../../core/errors.ts'
import { versionInHeader } from '../../core/kconfig/config-header.ts'
import { parseDotConfig } from '../../core/kconfig/dot-config.ts'
import { parseFragment } from '../../core/kconfig/fragment.ts'
import { nearestNames } from '../../core/kconfig/nearest.ts'
import type { DotConfig, Fragment } from '../../core/kconfig/types.ts'
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

/** Reads a fragment by file name, or one of ours by its short name. */
export async function readFragment(name: string, io: Io): Promise<Fragment> {
  const path = resolve(io.cwd, name)
  if (existsSync(path) || /[./]/.test(name)) return parseFragment(await readConfigText(path), name)
  const own = await ownFragments()
  const file = own.get(name)
  if (file === undefined) {
    const [nearest] = nearestNames(name, own.keys(), 1)
    throw usageError(
      'E_FRAGMENT_MISSING',
      `${name}: no such file, and no fragment of fwbuild has that name`,
      {
        hint:
          nearest === undefined
            ? `Ours are ${[...own.keys()].sort().join(', ')}.`
            : `Did you mean '${nearest}'?`,
      },
    )
  }
  return parseFragment(await readConfigText(join(projectDir, file)), file)
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
