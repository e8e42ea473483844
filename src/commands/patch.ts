import { type Command, InvalidArgumentError } from 'commander'
import type { Io } from './io.ts'
import { apply, type ApplyArguments } from './patch-apply.ts'

const patchesHelp = 'patch files, directories of *.patch, quilt series files, or - for standard input'

/** `fwbuild patch`: apply, rewrite, edit and check patches. */
export function define(command: Command, io: Io): void {
  command
    .command('apply')
    .description('apply patches to a tree: all of them, or nothing')
    .argument('<patch...>', patchesHelp)
    .option('--tree <dir>', 'the tree to patch', '.')
    .option('-p, --strip <n>', 'leading components to strip from names', componentCount, 1)
    .option('-R, --reverse', 'undo the patches')
    .option('--best-effort', 'take the best place even where it is not clearly right; marked low confidence')
    .option('--dry-run', 'leave the tree as it is, only tell')
    .option('--json', 'print one JSON document')
    .action((patches: string[], options: ApplyArguments) => apply(patches, options, io))
}

function componentCount(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('a number of components, 0 or more')
}
