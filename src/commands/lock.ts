import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { usageError } from '../core/errors.ts'
import { renderLockfile } from '../core/spec/lockfile.ts'
import { atomicWrite } from '../effects/files.ts'
import { buildOpenwrt } from '../pipeline/openwrt-build.ts'
import { lockOf } from '../pipeline/openwrt/lock.ts'
import { addCommonOptions, addOpenwrtOptions, addTalkOptions } from './build-options.ts'
import type { Io } from './io.ts'
import { readLayers } from './option-layers.ts'
import { openwrtSettings } from './openwrt-settings.ts'
import { toolVersion } from './project.ts'
import { reporterFor } from './reporter.ts'

/** `fwbuild lock`: pins sources, patches and buildroot image as they are now. */
export function define(command: Command, io: Io): void {
  addTalkOptions(addCommonOptions(addOpenwrtOptions(command)))
    .option('--update', 'replace the pins of an existing lock file')
    .action(async () => {
      const { layers, run } = await readLayers(command, io)
      const path = resolve(io.cwd, run.lock ?? 'fwbuild.lock')
      if (existsSync(path) && command.opts<{ update?: boolean }>().update !== true) {
        throw usageError('E_LOCK_EXISTS', `${path} exists`, {
          hint: 'fwbuild lock --update replaces its pins',
        })
      }
      const settings = await openwrtSettings(layers, 'unpinned', io)
      const reporter = reporterFor(run, io)
      try {
        const { context } = await buildOpenwrt({
          settings,
          toolVersion,
          until: 'feeds',
          command: 'fwbuild lock',
          signal: io.signal,
          report: reporter.report,
          nowMs: () => Date.now(),
        })
        const lock = await lockOf(context)
        await atomicWrite(path, renderLockfile(lock))
        await reporter.close()
        io.stdout(
          run.json
            ? renderLockfile(lock)
            : `${path}: ${lock.sources.length} sources, ${lock.patches.length} patches\n`,
        )
      } finally {
        await reporter.close()
      }
    })
}
