import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Command } from 'commander'
import { cancelledError, usageError } from '../core/errors.ts'
import { findRelease } from '../core/release/catalogue.ts'
import { isDomainOf } from '../core/spec/trust-domain.ts'
import { listBeneath } from '../effects/beneath/read.ts'
import { removeBeneath } from '../effects/beneath/remove.ts'
import { takeWorkLock } from '../effects/work-lock.ts'
import { isWorkDir } from '../effects/work-tag.ts'
import { clearUpAfterCrash } from '../pipeline/clear-up.ts'
import { addWorkOptions } from './build-options.ts'
import { readLayers, workDirOf } from './option-layers.ts'
import type { Io } from './io.ts'

interface CleanFlags {
  readonly release?: string
  readonly hostKernel?: boolean
  readonly downloads?: boolean
}

/** `fwbuild clean`: trees, records and compiler caches go; the git mirror, which all builds share, stays. */
export function define(command: Command, io: Io): void {
  addWorkOptions(command)
    .option(
      '--release <name>',
      'remove the trees, records and compiler caches of this release, whatever sources it was built of',
    )
    .option('--host-kernel', 'remove the trees and the records of all host kernels')
    .option('--downloads', 'remove the downloaded source archives')
    .action(async (flags: CleanFlags) => {
      if (flags.release === undefined && flags.downloads !== true && flags.hostKernel !== true) {
        throw usageError('E_CLEAN_WHAT', 'nothing named to clean', {
          hint: 'use --release NAME, --host-kernel, --downloads, or several of them',
        })
      }
      const release = flags.release === undefined ? undefined : findRelease(flags.release).name
      const { layers } = await readLayers(command, io)
      const work = workDirOf(layers, io.env)
      if (!existsSync(work)) {
        throw usageError('E_CLEAN_NOTHING', `there is no work directory ${work}`, { hint: 'check --work' })
      }
      if (!(await isWorkDir(work))) {
        throw usageError(
          'E_CLEAN_FOREIGN',
          `${work} is no work directory of fwbuild’s own: its tag is not there`,
          {
            hint: 'check --work; nothing was removed',
          },
        )
      }
      await using lock = await takeWorkLock(work, 'fwbuild clean')
      const { env, signal } = io
      const tell = (text: string): void => io.stdout(`${text}\n`)
      await clearUpAfterCrash(lock, 'host', { workDir: work, env, signal, tell })
      const named = [
        ...(release === undefined ? [] : releaseFolders(work, release)),
        ...(flags.hostKernel === true ? await hostKernelFolders(work) : []),
        ...(flags.downloads === true ? downloadFolders(work) : []),
      ].filter((folder) => existsSync(folder))
      const all = [...named, ...(await leftovers(work))]
      if (all.length === 0) tell(`nothing to remove in ${work}`)
      for (const folder of all) {
        if (signal.aborted) throw cancelledError()
        await removeBeneath(work, relative(work, folder), signal)
        tell(`removed ${folder}`)
      }
    })
}

/** Of the release as the catalogue has it, and of each set of foreign sources that was built as it. */
const releaseFolders = (work: string, release: string): readonly string[] =>
  (['trees', 'feeds', 'builds', 'ccache'] as const).flatMap((folder) =>
    listBeneath(work, folder).flatMap(({ name }) =>
      isDomainOf(release, name) ? [join(work, folder, name)] : [],
    ),
  )

const downloadFolders = (work: string): readonly string[] => [
  join(work, 'dl'),
  ...listBeneath(work, 'downloads').map(({ name }) => join(work, 'downloads', name)),
]

/** One of each source that was built; the disk on which installing was proved goes too, the signing key stays. */
async function hostKernelFolders(work: string): Promise<readonly string[]> {
  const below = async (folder: string): Promise<readonly string[]> =>
    (await readdir(join(work, folder)).catch((): string[] => []))
      .filter((name) => /^host-kernel(?:-|$)/.test(name))
      .map((name) => join(work, folder, name))
  const folders = await Promise.all(['trees', 'builds', 'ccache'].map(below))
  return [...folders.flat(), join(work, 'proof')]
}

/** What a killed run had not finished; nobody writes here while the lock is ours. */
async function leftovers(work: string): Promise<readonly string[]> {
  const names = (await readdir(work)).filter(
    (name) => name === 'scratch' || /\.[0-9a-f]{12}\.tmp$/.test(name) || /^lock\.[0-9a-f]{8}-/.test(name),
  )
  return names.sort().map((name) => join(work, name))
}
