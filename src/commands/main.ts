import { Command, CommanderError } from 'commander'
import { usageError } from '../core/errors.ts'
import { systemError } from '../effects/files.ts'
import { visibleText } from '../core/visible-text.ts'
import { failureEvent, failureText } from '../report/failure.ts'
import type { Io } from './io.ts'
import { toolVersion } from './project.ts'

interface Verb {
  readonly summary: string
  /** Imported only when the verb is used, so that `fwbuild patch` starts without Docker's client. */
  readonly load: () => Promise<{ define: (command: Command, io: Io) => void }>
}

const verbs: Readonly<Record<string, Verb>> = {
  openwrt: {
    summary: 'build OpenWrt images for hypervisors and boot them',
    load: () => import('./openwrt.ts'),
  },
  'host-kernel': {
    summary: 'build a patched host kernel with ZFS modules as packages, and prove its IOMMU groups',
    load: () => import('./host-kernel.ts'),
  },
  verify: {
    summary: 'boot an image in QEMU and check over its console that it works',
    load: () => import('./verify.ts'),
  },
  patch: {
    summary: 'apply, check, rewrite and edit patches with a verdict for each hunk',
    load: () => import('./patch.ts'),
  },
  kconfig: {
    summary: 'merge, check, explain and compare kernel configurations',
    load: () => import('./kconfig.ts'),
  },
  iommu: {
    summary: 'show IOMMU groups and what would split them',
    load: () => import('./iommu.ts'),
  },
  lock: {
    summary: 'pin sources, patches and buildroot image of a build',
    load: () => import('./lock.ts'),
  },
  shell: {
    summary: 'a shell or a command in the container of a build',
    load: () => import('./shell.ts'),
  },
  clean: {
    summary: 'remove trees and records of builds',
    load: () => import('./clean.ts'),
  },
  doctor: {
    summary: 'check what this machine lacks for building and booting, and install it',
    load: () => import('./doctor.ts'),
  },
}

/**
 * Runs one command line in this process.
 * @param argv arguments without node and script
 * @returns the exit code (README.md lists them)
 */
export async function runCli(argv: readonly string[], given: Io): Promise<number> {
  const io = visibleIo(given)
  try {
    await dispatch(argv, io)
    return 0
  } catch (error) {
    return reportFailure(error, argv, io)
  }
}

/** Foreign words meet a stream here: documents go out as they are, unless to a terminal; all else is made visible. */
function visibleIo(io: Io): Io {
  const stdout = (text: string | Uint8Array): void => {
    if (typeof text === 'string') io.stdout(visibleText(text))
    else io.stdout(io.stdoutIsTty ? visibleText(new TextDecoder().decode(text)) : text)
  }
  return { ...io, stdout, stderr: (text) => io.stderr(visibleText(text)) }
}

async function dispatch(argv: readonly string[], io: Io): Promise<void> {
  // With --json a wrong command line is told once, as an event.
  const talk = wantsJson(argv) ? () => {} : io.stderr
  const configure = (command: Command): void => {
    command
      .exitOverride()
      .configureOutput({ writeOut: io.stdout, writeErr: talk, outputError: (text, write) => write(text) })
  }
  const program = new Command('fwbuild')
    .description('Build OpenWrt VM images and patched host kernels, and prove that they boot.')
    .enablePositionalOptions()
    .showHelpAfterError('(fwbuild --help lists the commands)')
    .version(toolVersion)
  configure(program)
  const wanted = argv.find((argument) => !argument.startsWith('-'))
  for (const [name, verb] of Object.entries(verbs)) {
    const command = program.command(name).description(verb.summary)
    configure(command)
    if (name === wanted) (await verb.load()).define(command, io)
  }
  await program.parseAsync([...argv], { from: 'user' })
}

const wantsJson = (argv: readonly string[]): boolean =>
  argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined).includes('--json')

function reportFailure(thrown: unknown, argv: readonly string[], io: Io): number {
  const json = wantsJson(argv)
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return 0
    // Without --json commander has told of it itself.
    if (!json) return 2
  }
  const error = thrown instanceof CommanderError ? commandLineError(thrown) : systemError(thrown)
  const event = failureEvent(error)
  io.stderr(json ? `${JSON.stringify(event)}\n` : failureText(error))
  return event.exitCode
}

const commandLineError = ({ message }: CommanderError): Error =>
  usageError('E_COMMAND_LINE', message.replace(/^error: /, ''), { hint: 'fwbuild --help lists the commands' })
