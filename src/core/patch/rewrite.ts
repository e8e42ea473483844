import { finish, type Steps } from '../steps.ts'
import type { ApplyResult, FilePlacement } from './apply.ts'
import { binaryString, splitLines } from './lines.ts'
import type { FilePatch, Hunk, PatchDocument } from './model.ts'
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
 */
export const rewritePatch = (patch: PatchDocument, result: ApplyResult): RewrittenPatch =>
  finish(rewriteSteps(patch, result))

/** The same, file by file. */
export function* rewriteSteps(patch: PatchDocument, result: ApplyResult): Steps<RewrittenPatch> {
  const files: FilePatch[] = []
  const leftOut: LeftOut[] = []
  let text = ''
  for (const [at, file] of patch.files.entries()) {
    const placement = result.placements[at]
    if (placement === undefined) throw new Error('a rewrite of a patch without its placements')
    const rewritten = rewriteFile(placement, leftOut)
    text += file.preamble
    yield
    if (rewritten === undefined) continue
    files.push({ ...rewritten, preamble: text })
    text = ''
  }
  return { patch: { ...patch, files, trailer: text + patch.trailer }, leftOut }
}

function rewriteFile(placement: FilePlacement, leftOut: LeftOut[]): FilePatch | undefined {
  const { path, file, hunks: placed, before } = placement
  if (placement.alreadyApplied) {
    leftOut.push({ path, hunk: undefined })
    return undefined
  }
  if (placement.skipped !== undefined) return undefined
  for (const [at, hunk] of placed.entries()) {
    if (hunk.placement.status === 'already-applied') leftOut.push({ path, hunk: at + 1 })
  }
  const text = before === undefined ? '' : binaryString(before.bytes)
  const hunks = rewriteHunks(splitLines(text), file.hunks, placed)
  // A new file that is there already, with the same content: only its mode can be left.
  const isMade = placement.operation === 'create' && placed.length === 0 && before !== undefined
  if (before !== undefined && (placement.renamedBefore || isMade)) return changeOnly(file, hunks, before.mode)
  if (hunks.length === 0 && file.hunks.length > 0) return withoutHunks(file)
  return { ...file, hunks }
}

/** The patch of a file that has its name already: only its change remains, and the mode where it differs. */
function changeOnly(file: FilePatch, hunks: readonly Hunk[], mode: number): FilePatch {
  const { header, git } = file
  const fresh = hunks.length === 0 ? '' : (/^\+\+\+ .*\n/m.exec(header)?.[0] ?? '')
  const names = fresh === '' ? '' : `---${fresh.slice(3)}${fresh}`
  const plain = { ...file, oldName: file.newName, oldAbsent: false, hunks }
  if (git?.newMode === undefined || git.newMode === mode) return { ...plain, git: undefined, header: names }
  const modes = `old mode ${mode.toString(8)}\nnew mode ${git.newMode.toString(8)}\n`
  const change = { ...git, operation: 'modify', from: undefined, to: undefined, oldMode: mode } as const
  return { ...plain, git: change, header: `${gitLine(header)}${modes}${names}` }
}

/** The `diff --git` line of the new name. */
function gitLine(header: string): string {
  const name = /^rename to (.*?)\r?\n/m.exec(header)?.[1]
  if (name === undefined) return /^diff --git .*\n/m.exec(header)?.[0] ?? ''
  const [quote, rest] = name.startsWith('"') ? ['"', name.slice(1)] : ['', name]
  return `diff --git ${quote}a/${rest} ${quote}b/${rest}\n`
}
