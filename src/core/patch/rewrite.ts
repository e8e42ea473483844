import type { ApplyResult, FilePlacement } from './apply.ts'
import { withFittingLineEnds } from './line-ends.ts'
import { binaryString, splitLines } from './lines.ts'
import type { FilePatch, PatchDocument } from './model.ts'
import { stripComponents } from './names.ts'
import { rewriteHunks } from './rewrite-hunks.ts'
import { withoutHunks } from './without-hunks.ts'

/** What a rewritten patch no longer holds, because the tree has it. */
export interface LeftOut {
  readonly path: string
  /** 1-based number in the original patch; undefined for the whole file. */
  readonly hunk: number | undefined
}

export interface RewrittenPatch {
  readonly patch: PatchDocument
  readonly leftOut: readonly LeftOut[]
}

/**
 * The patch as it should have been for the tree that it was applied to: contexts and numbers are true,
 * hunks that the tree has already are left out, everything else (preamble, headers, section text,
 * trailer) stays byte by byte. `git apply` and `patch -F0` take the result as it is, with the same
 * outcome; rewriting that once more changes nothing.
 * @param result of applying `patch`, not reversed; must not be refused
 * @param strip as for applying
 */
export function rewritePatch(patch: PatchDocument, result: ApplyResult, strip = 1): RewrittenPatch {
  const files: FilePatch[] = []
  const leftOut: LeftOut[] = []
  let text = ''
  for (const [at, file] of patch.files.entries()) {
    const placement = result.placements[at]
    if (placement === undefined) throw new Error('a rewrite of a patch without its placements')
    const rewritten = rewriteFile(file, placement, wasRenamed(file, result, strip), leftOut)
    text += file.preamble
    if (rewritten === undefined) continue
    files.push({ ...rewritten, preamble: text })
    text = ''
  }
  return { patch: { ...patch, files, trailer: text + patch.trailer }, leftOut }
}

function rewriteFile(
  file: FilePatch,
  placement: FilePlacement,
  renamed: boolean,
  leftOut: LeftOut[],
): FilePatch | undefined {
  const { path, hunks: placed, before } = placement
  if (placement.alreadyApplied) {
    leftOut.push({ path, hunk: undefined })
    return undefined
  }
  for (const [at, hunk] of placed.entries()) {
    if (hunk.placement.status === 'already-applied') leftOut.push({ path, hunk: at + 1 })
  }
  const text = before === undefined ? '' : binaryString(before.bytes)
  const fitting = before === undefined ? file : withFittingLineEnds(file, text)
  const hunks = rewriteHunks(splitLines(text), fitting.hunks, placed)
  if (hunks.length === 0 && file.hunks.length > 0) return withoutHunks(file)
  return renamed ? plainHeader({ ...file, hunks }) : { ...file, hunks }
}

/** Whether the tree had the file under its new name before the patch came. */
function wasRenamed({ git }: FilePatch, { files }: ApplyResult, strip: number): boolean {
  if (git?.operation !== 'rename' || git.from === undefined) return false
  return !files.has(stripComponents(git.from, Math.max(strip - 1, 0)) ?? git.from)
}

/** A file that has its new name can not be renamed once more; only its change remains. */
function plainHeader(file: FilePatch): FilePatch {
  const line = /^\+\+\+ .*\n/m.exec(file.header)?.[0] ?? ''
  return { ...file, git: undefined, oldName: file.newName, header: `---${line.slice(3)}${line}` }
}
