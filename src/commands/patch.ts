import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Io } from './io.ts'
import type { ApplyFlags } from './patch-apply.ts'
import type { EditFlags } from './patch-edit.ts'

const patchesHelp = 'patch files, directories of *.patch, quilt series files, or - for standard input'

/** `fwbuild patch`: apply, check, rewrite and edit patches. */
export function define(command: Command, io: Io): void {
  const strip = (): Option =>
    new Option('-p, --strip <n>', 'leading name components to strip').default(1).argParser(wholeNumber)
  const skipDocs = (): Option =>
    new Option('--skip-docs', 'leave out what does not fit of changes to Documentation/').default(false)
  const tree = (): Option => new Option('--tree <dir>', 'the tree to work on').default('.')

  command
    .command('apply')
    .description('apply patches as one series, all or nothing; exit 1 when a hunk has no sure place')
    .argument('<patch...>', patchesHelp)
    .addOption(tree())
    .addOption(strip())
    .option('-R, --reverse', 'undo the patches', false)
    .option('--best-effort', 'take the best place even where it is not sure, marked as low confidence', false)
    .addOption(skipDocs())
    .option('--dry-run', 'change nothing', false)
    .option('--rewrite-to <dir>', 'also write each patch as it should have been for this tree')
    .option('--reject-to <dir>', 'write refused hunks there')
    .option('--show', 'show moved hunks side by side', false)
    .option('--json', 'print one JSON document', false)
    .action(async (patches: string[], flags: ApplyFlags) => {
      const { applyCommand } = await import('./patch-apply.ts')
      await applyCommand(patches, flags, io)
    })

  command
    .command('check')
    .description('print what would become of each hunk of a series; exit 1 when one has no sure place')
    .argument('<patch...>', patchesHelp)
    .addOption(tree())
    .addOption(strip())
    .option('-R, --reverse', 'check undoing the patches', false)
    .addOption(skipDocs())
    .option('--show', 'show moved hunks side by side', false)
    .option('--json', 'print one JSON document', false)
    .action(async (patches: string[], flags: ApplyFlags) => {
      const { checkCommand } = await import('./patch-apply.ts')
      await checkCommand(patches, flags, io)
    })

  command
    .command('rewrite')
    .description('print the patch as it should have been for this tree: `git apply` takes it exactly')
    .argument('<patch>', 'patch file, or - for standard input')
    .addOption(tree())
    .addOption(strip())
    .addOption(skipDocs())
    .option('--best-effort', 'take the best place even where it is not sure', false)
    .option('-o, --output <file>', 'write there instead of to standard output')
    .action(async (patch: string, flags: ApplyFlags & { output?: string }) => {
      const { rewriteCommand } = await import('./patch-apply.ts')
      await rewriteCommand(patch, flags, io)
    })

  command
    .command('recover')
    .description('take back what an apply that was killed did to a tree, as the next apply would')
    .addOption(tree())
    .action(async (flags: { tree: string }) => {
      const { recoverCommand } = await import('./patch-apply.ts')
      await recoverCommand(flags, io)
    })

  command
    .command('edit')
    .description('print the patch with true counts, or without some of its changes')
    .argument('<patch>', 'patch file, or - for standard input')
    .option('--recount', 'write the counts of the @@ lines anew, as they are after an edit by hand', false)
    .option('--drop-lines <regex>', 'added lines not to add, removed lines to leave; conditions stay valid C')
    .option('-o, --output <file>', 'write there instead of to standard output')
    .action(async (patch: string, flags: EditFlags) => {
      const { editCommand } = await import('./patch-edit.ts')
      await editCommand(patch, flags, io)
    })
}

function wholeNumber(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('a whole number is wanted.')
  return Number(text)
}
