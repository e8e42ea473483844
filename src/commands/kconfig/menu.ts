import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { usageError } from '../../core/errors.ts'
import { atomicWrite } from '../../effects/files.ts'
import { kernelMenu } from '../../pipeline/kernel-menu.ts'
import { addCommonOptions, addOpenwrtOptions } from '../build-options.ts'
import { readLayers } from '../option-layers.ts'
import type { Io } from '../io.ts'
import { openwrtSettings } from '../openwrt-settings.ts'

/** `fwbuild kconfig menu`: menuconfig of a build's kernel; what was changed becomes a fragment. */
export async function menuCommand(words: readonly string[], io: Io): Promise<void> {
  const command = addCommonOptions(addOpenwrtOptions(new Command('fwbuild kconfig menu')))
    .description('menuconfig of a build’s kernel; only what you change becomes a fragment')
    .option('-o, --save <file>', 'write the fragment here instead of to standard output')
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
    .parse([...words], { from: 'user' })
  const { layers, run } = await readLayers(command, io)
  const save = command.opts<{ save?: string }>().save
  const file = save === undefined ? undefined : resolve(io.cwd, save)
  if (io.stdin === undefined || !io.stdin.isTTY || !io.stdoutIsTty) {
    throw usageError('E_NO_TERMINAL', 'menuconfig needs a terminal for input and output', {
      hint: 'write the fragment with -o FILE instead of redirecting the output',
    })
  }
  if (file !== undefined && existsSync(file)) {
    throw usageError('E_FILE_EXISTS', `${file} exists already`, {
      hint: 'name a new file: a fragment that exists is never replaced',
    })
  }
  const settings = await openwrtSettings(layers, run, io)
  const fragment = await kernelMenu(settings, {
    signal: io.signal,
    terminal: { input: io.stdin, output: process.stdout },
    tell: (text) => io.stderr(`${text}\n`),
  })
  if (fragment === undefined) io.stderr('nothing was changed\n')
  else if (file === undefined) io.stdout(Buffer.from(fragment))
  else {
    await atomicWrite(file, fragment)
    io.stderr(`written: ${file}; build with it: fwbuild openwrt --fragment ${save}\n`)
  }
}
