import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { resolve } from 'node:path'
import { usageError } from '../core/errors.ts'
import { findRelease } from '../core/release/catalogue.ts'
import { removeTree } from '../effects/files.ts'
import { takeWorkLock } from '../effects/work-lock.ts'
import { stateDirOf } from '../pipeline/openwrt-build.ts'
import { defaultWorkDir } from './build-options.ts'
import type { Io } from './io.ts'

interface CleanFlags {
  readonly work?: string
  readonly release?: string
  readonly downloads?: boolean
}

/** `fwbuild clean`: trees and records go; the git mirror and ccache, which all builds share, stay. */
export function define(command: Command, io: Io): void {
  command
    .option('--work <dir>', 'work directory (default: ~/.cache/fwbuild)')
    .option('--release <name>', 'remove the tree and the records of this release')
    .option('--downloads', 'remove the downloaded source archives')
    .action(async (flags: CleanFlags) => {
      const work = resolve(io.cwd, flags.work ?? io.env['FWBUILD_WORK'] ?? defaultWorkDir(io.env))
      if (flags.release === undefined && flags.downloads !== true) {
        throw usageError('E_CLEAN_WHAT', 'nothing named to clean', {
          hint: 'use --release NAME, --downloads, or both',
        })
      }
      await using _lock = await takeWorkLock(work, 'fwbuild clean')
      const folders = [
        ...(flags.release === undefined ? [] : releaseFolders(work, flags.release)),
        ...(flags.downloads === true ? [join(work, 'dl')] : []),
      ]
      for (const folder of folders) {
        await removeTree(folder)
        io.stdout(`removed ${folder}\n`)
      }
      await rm(join(work, 'scratch'), { recursive: true, force: true })
    })
}

function releaseFolders(work: string, name: string): readonly string[] {
  const release = findRelease(name).name
  return [join(work, 'trees', release), join(work, 'feeds', release), stateDirOf(work, release)]
}
