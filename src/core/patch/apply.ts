import { finish, type Steps } from '../steps.ts'
import { applyFile } from './apply-file.ts'
import { patchDamage } from './damage.ts'
import { isDocumentation } from './documentation.ts'
import { type FileState, overlayOf, type ReadFile } from './file-state.ts'
import type { FileOptions, FileVerdict } from './file-verdict.ts'
import type { FilePatch, PatchDocument } from './model.ts'
import type { PlaceOptions } from './place.ts'
import type { PlacedHunk } from './placement.ts'
import { reverseFile } from './reverse.ts'
import { addLines, inPlace, newWork, type Work } from './work.ts'

export interface ApplyOptions extends Partial<PlaceOptions> {
  /** Leading name components to strip, as `patch -p`; 1 unless given. */
  readonly strip?: number
  /** Undo the patch. */
  readonly reverse?: boolean
  /** Leave out refused hunks of documentation (Documentation/); the rest must fit all the same. */
  readonly skipDocs?: boolean
  /** What may still be spent; each patch has its own unless it is given. */
  readonly work?: Work
  /** Content of a git blob by its (abbreviated) id, from a repository at hand; asked only for refused hunks. */
  readonly readBlob?: (id: string) => Uint8Array | undefined
}

export interface ApplyResult {
  /** `applied` when every hunk found its place and at least one changed something. */
  readonly status: 'applied' | 'already-applied' | 'refused'
  /** Changed files by path, sorted; undefined where a file is deleted. Empty when refused. */
  readonly files: ReadonlyMap<string, FileState | undefined>
  /** One for each file of the patch, in the patch's order. */
  readonly placements: readonly FilePlacement[]
  /** Every reason not to apply the patch; empty unless refused. */
  readonly refusals: readonly Refusal[]
}

export interface FilePlacement {
  readonly path: string
  /** The file's part of the patch as it was applied. */
  readonly file: FilePatch
  /** What was done to the patch on its way and was undone, for people. */
  readonly mended: string | undefined
  readonly operation: 'modify' | 'create' | 'delete' | 'rename' | 'copy'
  readonly hunks: readonly PlacedHunk[]
  /** The whole file's change was there already. */
  readonly alreadyApplied: boolean
  /** The file had its new name before the patch came: only the rest of a rename was to be done. */
  readonly renamedBefore: boolean
  /** Why the file is left out as a whole, where that was asked for. */
  readonly skipped: string | undefined
  /** The file before this patch; undefined where there was none. */
  readonly before: FileState | undefined
}

export interface Refusal {
  /** `patch` when the patch itself is unfit. */
  readonly path: string
  /** 1-based number of the hunk in its file; undefined when the file as a whole is refused. */
  readonly hunk: number | undefined
  readonly reason: string
  /** The patch names a file that the tree does not have, or no file at all. */
  readonly unfound: boolean
}

/**
 * Applies a patch to files that `readFile` supplies. Pure, and all or nothing: on any refusal no file
 * is changed, and the placements tell what would have become of each hunk.
 */
export const applyPatch = (
  patch: PatchDocument,
  readFile: ReadFile,
  options: ApplyOptions = {},
): ApplyResult => finish(applyPatchSteps(patch, readFile, options))

/** The same, hunk by hunk. */
export function* applyPatchSteps(
  patch: PatchDocument,
  readFile: ReadFile,
  options: ApplyOptions,
): Steps<ApplyResult> {
  const unfit = patch.problems.map(({ line, reason }) =>
    refusal('patch', undefined, `line ${line}: ${reason}`),
  )
  if (unfit.length > 0) return { status: 'refused', files: new Map(), placements: [], refusals: unfit }
  const overlay = overlayOf(readFile)
  const work = options.work ?? newWork()
  const verdicts: FileVerdict[] = []
  const commits = commitsOf(patch, options.reverse ?? false)
  const ofFile: FileOptions = {
    strip: options.strip ?? 1,
    reverse: options.reverse ?? false,
    readBlob: options.readBlob,
    place: { bestEffort: options.bestEffort ?? false },
    skipDocs: options.skipDocs ?? false,
    damage: yield* patchDamage(commits.flat(), overlay.read, options.strip ?? 1),
    work,
  }
  for (const files of commits) {
    const ofCommit = overlayOf(overlay.read)
    for (const file of files) {
      for (const { lines } of file.hunks) addLines(work, lines.length)
      try {
        verdicts.push(skipFile(yield* applyFile(file, ofCommit, ofFile), ofFile))
      } catch (error) {
        throw inPlace(error, (file.newAbsent ? file.oldName : file.newName) ?? '?')
      }
      yield
    }
    for (const [path, state] of ofCommit.changes()) overlay.write(path, state)
  }
  const refusals = verdicts.flatMap(refusalsOf)
  const placements = verdicts.map((verdict) => verdict.placement)
  if (refusals.length > 0) return { status: 'refused', files: new Map(), placements, refusals }
  // A file that one mail makes and a later one deletes leaves no trace, but both were applied.
  const isApplied = placements.some(({ alreadyApplied }) => !alreadyApplied)
  return {
    status: isApplied ? 'applied' : 'already-applied',
    files: overlay.changes(),
    placements,
    refusals,
  }
}

/**
 * The files of each commit, in the order of applying: several mails may lie in one file, and each begins with
 * text. Within one, git's copies are made of what was there before it.
 */
function commitsOf({ files }: PatchDocument, reverse: boolean): readonly (readonly FilePatch[])[] {
  const commits: FilePatch[][] = []
  for (const file of files) {
    const last = commits.at(-1)
    if (last === undefined || file.preamble !== '') commits.push([file])
    else last.push(file)
  }
  return reverse ? commits.toReversed().map((commit) => commit.toReversed().map(reverseFile)) : commits
}

/** Documentation that the tree does not have can be left out, too. */
function skipFile(verdict: FileVerdict, { skipDocs }: FileOptions): FileVerdict {
  const { refused, unfound, placement } = verdict
  if (!skipDocs || !unfound || refused === undefined || !isDocumentation(placement.path)) return verdict
  return { placement: { ...placement, skipped: refused }, refused: undefined, unfound: false }
}

function refusalsOf({ placement, refused, unfound }: FileVerdict): Refusal[] {
  if (refused !== undefined) return [refusal(placement.path, undefined, refused, unfound)]
  return placement.hunks.flatMap((hunk, at) =>
    hunk.placement.status === 'conflict' ? [refusal(placement.path, at + 1, hunk.placement.why)] : [],
  )
}

const refusal = (
  path: string,
  hunk: number | undefined,
  reason: string,
  unfound: boolean = false,
): Refusal => ({ path, hunk, reason, unfound })
