import type { Command } from 'commander'
import type { Io } from './io.ts'

const repeated = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value]

/** `fwbuild kconfig …`: kernel configuration layers that provably survive. */
export function define(command: Command, io: Io): void {
  command
    .command('merge <base> <fragments...>')
    .description('put fragments over a configuration, and tell every redefinition with both places')
    .option('-o, --output <file>', 'write here instead of to standard output')
    .option('--tree <kernel>', 'also resolve it against this kernel source and check that all of it holds')
    .option('--kernel <version>', 'kernel the fragments are for; default: of the tree or of the base')
    .option('--json', 'print one JSON document')
    .action(async (base: string, fragments: readonly string[], options: object) =>
      (await import('./kconfig/merge.ts')).mergeCommand(base, fragments, options, io),
    )
  command
    .command('check')
    .description('compare what fragments want with a final configuration')
    .requiredOption('--config <file>', 'the final .config')
    .requiredOption('--fragment <file>', 'a fragment, by file or by name (kvm, hyperv, 9p, …)', repeated)
    .option('--tree <kernel>', 'kernel source; explains each miss')
    .option('--kernel <version>', 'kernel the fragments are for; default: of the tree or of the .config')
    .option('--json', 'print one JSON document')
    .action(async (options: { config: string; fragment: readonly string[] }) =>
      (await import('./kconfig/check.ts')).checkCommand(options, io),
    )
  command
    .command('why <symbol>')
    .description('tell why SYMBOL (or SYMBOL=VALUE) does not hold, and what would make it')
    .requiredOption('--tree <kernel>', 'kernel source')
    .requiredOption('--config <file>', 'the .config to start from')
    .option('--fix', 'print a fragment that makes it hold, proved by evaluating the tree with it')
    .option('--json', 'print one JSON document')
    .action(async (symbol: string, options: { tree: string; config: string }) =>
      (await import('./kconfig/why.ts')).whyCommand(symbol, options, io),
    )
  command
    .command('diff <a> <b>')
    .description('compare two configurations, grouped by menu')
    .option('--json', 'print one JSON document')
    .action(async (a: string, b: string, options: object) =>
      (await import('./kconfig/diff.ts')).diffCommand(a, b, options, io),
    )
  // Reads its own options: those of a build would make every other verb start a quarter of a second later.
  command
    .command('menu')
    .usage('[options]')
    .description('menuconfig of a build’s kernel; only what you change becomes a fragment (menu --help)')
    .helpOption(false)
    .allowUnknownOption()
    .argument('[options...]')
    .action(async (words: readonly string[]) => (await import('./kconfig/menu.ts')).menuCommand(words, io))
}
