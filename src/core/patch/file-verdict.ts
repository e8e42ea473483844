import type { FilePlacement } from './apply.ts'
import type { PatchDamage } from './damage.ts'
import type { FileState } from './file-state.ts'
import type { FilePatch } from './model.ts'
import type { PlacedHunk } from './placement.ts'
import type { PlaceOptions } from './place.ts'
import type { Work } from './work.ts'

export interface FileOptions {
  readonly strip: number
  /** The file patch was turned round: binary bodies hold both ways. */
  readonly reverse: boolean
  readonly readBlob: ((id: string) => Uint8Array | undefined) | undefined
  readonly place: PlaceOptions
  readonly damage: PatchDamage
  /** Refused hunks of documentation are left out. */
  readonly skipDocs: boolean
  readonly work: Work
}

export interface FileVerdict {
  readonly placement: FilePlacement
  /** Why the file as a whole is refused. */
  readonly refused: string | undefined
  /** It is refused because the tree has no such file. */
  readonly unfound: boolean
}

export interface FileContext {
  readonly file: FilePatch
  readonly path: string
  /** What was done to the patch on its way and was undone in `file`. */
  readonly how?: string | undefined
}

/** What became of a file that is not refused as a whole. */
export function done(
  { file, path, how }: FileContext,
  result: {
    hunks?: readonly PlacedHunk[]
    before?: FileState | undefined
    alreadyApplied?: boolean
    renamedBefore?: boolean
  },
): FileVerdict {
  const placement = {
    path,
    file,
    mended: how,
    operation: operationOf(file),
    hunks: result.hunks ?? [],
    alreadyApplied: result.alreadyApplied ?? false,
    renamedBefore: result.renamedBefore ?? false,
    skipped: undefined,
    before: result.before,
  }
  return { placement, refused: undefined, unfound: false }
}

export function refuse(context: FileContext, reason: string, unfound = false): FileVerdict {
  return { placement: done(context, {}).placement, refused: reason, unfound }
}

function operationOf(file: FilePatch): FilePlacement['operation'] {
  if (file.git?.operation === 'uncopy') return 'delete'
  if (file.git !== undefined && file.git.operation !== 'modify') return file.git.operation
  return file.oldAbsent ? 'create' : file.newAbsent ? 'delete' : 'modify'
}
