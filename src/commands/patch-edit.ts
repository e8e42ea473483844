import { buildError, FwbuildError, messageOf, usageError } from '../core/errors.ts'
import { dropLinesSteps } from '../core/patch/edit.ts'
import type { PatchDocument } from '../core/patch/model.ts'
import { printPatch } from '../core/patch/print.ts'
import type { NamedPatch } from '../core/patch/series.ts'
import { inSlices } from '../effects/slices.ts'
import type { Io } from './io.ts'
import { readPatches } from './patch-input.ts'
import { putPatch } from './patch-output.ts'

/** Prints a patch without the added and removed lines that match. */
export async function editCommand(
  name: string,
  flags: { readonly dropLines: string; readonly output?: string },
  io: Io,
): Promise<void> {
  const pattern = regularExpression(flags.dropLines)
  const [only, ...more] = await readPatches([name], io)
  if (only === undefined || more.length > 0) throw usageError('E_PATCH_COUNT', 'edit takes one patch')
  const [problem] = only.patch.problems
  if (problem !== undefined) throw buildError('E_PATCH_FORMAT', `${name}:${problem.line}: ${problem.reason}`)
  putPatch(printPatch(await editedPatch(only, pattern, io)), flags.output, io)
}

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
