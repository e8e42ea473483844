import { messageOf, usageError } from '../core/errors.ts'
import { dropLines } from '../core/patch/edit.ts'
import { readPatches } from '../effects/patch-files.ts'
import type { Io } from './io.ts'
import { putPatch } from './patch-output.ts'

/** Prints a patch without the added and removed lines that match. */
export function editCommand(name: string, flags: { dropLines: string; output?: string }, io: Io): void {
  const pattern = regularExpression(flags.dropLines)
  const [only, ...more] = readPatches([name], io.cwd)
  if (only === undefined || more.length > 0) throw usageError('E_PATCH_COUNT', 'edit takes one patch')
  const [problem] = only.patch.problems
  if (problem !== undefined) throw usageError('E_PATCH_FORMAT', `${name}:${problem.line}: ${problem.reason}`)
  const text = dropLines(only.patch, pattern)
  putPatch(text, flags.output, io)
}

function regularExpression(text: string): RegExp {
  try {
    return new RegExp(text)
  } catch (error) {
    throw usageError('E_PATCH_REGEX', `--drop-lines: ${messageOf(error)}`, { cause: error })
  }
}
