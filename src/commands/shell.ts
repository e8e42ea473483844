import type { Command } from 'commander'
import { buildError, usageError } from '../core/errors.ts'
import { openShell } from '../pipeline/openwrt-shell.ts'
import { addCommonOptions, addOpenwrtOptions } from './build-options.ts'
import type { Io } from './io.ts'
import { readLayers } from './option-layers.ts'
import { openwrtSettings } from './openwrt-settings.ts'

/** `fwbuild shell [-- COMMAND…]`: the build's own container and tree, for a look or a rerun by hand. */
export function define(command: Command, io: Io): void {
  addCommonOptions(addOpenwrtOptions(command))
    .argument('[command...]', 'run this instead of an interactive shell (after --)')
    .addHelpText(
      'after',
      '\nA command that fails makes fwbuild end with 1; its own exit code is in the message.',
    )
    .action(async (words: readonly string[]) => {
      const { layers, run } = await readLayers(command, io)
      const settings = await openwrtSettings(layers, run, io)
      if (words.length === 0 && io.stdin === undefined) {
        throw usageError('E_NO_TERMINAL', 'a shell needs a terminal', {
          hint: 'name a command: fwbuild shell -- make V=s',
        })
      }
      const exitCode = await openShell(settings, words, {
        signal: io.signal,
        write: io.stdout,
        tell: (text) => io.stderr(`${text}\n`),
        terminal: io.stdin === undefined ? undefined : { input: io.stdin, output: process.stdout },
      })
      // An interactive shell ends with what its last command did, which was seen by then.
      if (exitCode !== 0 && words.length > 0)
        throw buildError('E_SHELL', `${words.join(' ')} ended with ${exitCode}`)
    })
}
