import { Command, CommanderError } from 'commander'
import { FwbuildError, messageOf } from '../core/errors.ts'
import type { Io } from './io.ts'

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

const bugExitCode = 70

/**
 * Runs one command line in this process.
 * @param argv arguments without node and script
 * @returns the exit code (README.md lists them)
 */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  try {
    await dispatch(argv, io)
    return 0
  } catch (error) {
    return reportFailure(error, io)
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<void> {
  const program = new Command('fwbuild')
    .description('Build OpenWrt VM images and patched host kernels, and prove that they boot.')
    .enablePositionalOptions()
    .showHelpAfterError('(fwbuild --help lists the commands)')
    .version('0.1.0')
  configure(program, io)
  const wanted = argv.find((argument) => !argument.startsWith('-'))
  for (const [name, verb] of Object.entries(verbs)) {
    const command = program.command(name).description(verb.summary)
    configure(command, io)
    if (name === wanted) (await verb.load()).define(command, io)
  }
  await program.parseAsync([...argv], { from: 'user' })
}

function configure(command: Command, io: Io): void {
  command
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr, outputError: (text, write) => write(text) })
}

function reportFailure(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof FwbuildError) {
    // Behind the first line, so that a list below it does not hide the code.
    const [what = '', ...details] = error.message.split('\n')
    const first = what.endsWith(':') ? `${what.slice(0, -1)} [${error.code}]:` : `${what} [${error.code}]`
    io.stderr([`fwbuild: ${first}`, ...details, ''].join('\n'))
    if (error.hint !== undefined) io.stderr(`${error.hint.replaceAll(/^/gm, '  ')}\n`)
    return error.exitCode
  }
  io.stderr(`fwbuild: internal error: ${messageOf(error)}\n`)
  if (error instanceof Error && error.stack !== undefined) io.stderr(`${error.stack}\n`)
  io.stderr('  This is a bug in fwbuild: please report it with the lines above.\n')
  return bugExitCode
}
