import { buildError, FwbuildError, messageOf, usageError } from '../core/errors.ts'
import { dropLinesSteps } from '../core/patch/edit.ts'
import type { PatchDocument } from '../core/patch/model.ts'
import { printPatch } from '../core/patch/print.ts'
import { readPatch } from '../core/patch/read-patch.ts'
import { recountPatch } from '../core/patch/recount.ts'
import type { NamedPatch } from '../core/patch/series.ts'
import { inSlices } from '../effects/slices.ts'
import type { Io } from './io.ts'
import { readPatches } from './patch-input.ts'
import { putPatch } from './patch-output.ts'

export interface EditFlags {
  readonly dropLines?: string
  readonly recount?: boolean
  readonly output?: string
}

/** Prints a patch with true counts, or without the added and removed lines that match. */
export async function editCommand(name: string, flags: EditFlags, io: Io): Promise<void> {
  const { dropLines, recount = false } = flags
  if (dropLines === undefined && !recount) {
    throw usageError('E_PATCH_EDIT', 'edit takes --drop-lines REGEX, --recount, or both')
  }
  const pattern = dropLines === undefined ? undefined : regularExpression(dropLines)
  const [given, ...more] = await readPatches([name], io)
  if (given === undefined || more.length > 0) throw usageError('E_PATCH_COUNT', 'edit takes one patch')
  const only = recount ? { ...given, patch: readPatch(recountPatch(printPatch(given.patch))) } : given
  const [problem] = only.patch.problems
  if (problem !== undefined) throw buildError('E_PATCH_FORMAT', `${name}:${problem.line}: ${problem.reason}`)
  const patch = pattern === undefined ? only.patch : await editedPatch(only, pattern, io)
  const text = printPatch(patch)
  if (pattern !== undefined && text === printPatch(only.patch)) throw nothingMatches(name, pattern)
  putPatch(text, flags.output, io)
}

const nothingMatches = (name: string, pattern: RegExp): Error =>
  buildError('E_PATCH_EDIT', `${name}: no added or removed line matches /${pattern.source}/`, {
    hint: 'nothing was written; context lines and headers are not looked at',
  })

/** The edit names file, hunk and line; which patch it was is known here. */
async function editedPatch({ name, patch }: NamedPatch, pattern: RegExp, io: Io): Promise<PatchDocument> {
  try {
    return await inSlices(dropLinesSteps(patch, pattern), io.signal)
  } catch (error) {
    if (!(error instanceof FwbuildError)) throw error
    const { kind, code, hint } = error
    throw new FwbuildError(kind, code, `${name}: ${error.message}`, {
      ...(hint !== undefined && { hint }),
      cause: error,
    })
  }
}

function regularExpression(text: string): RegExp {
  try {
    return new RegExp(text)
  } catch (error) {
    throw usageError('E_PATCH_REGEX', `--drop-lines: ${messageOf(error)}`, { cause: error })
  }
}
