import { everySteps, type Steps } from '../steps.ts'
import { blobId } from './binary.ts'
import { type BlankDamage, blankDamage, type FileEvidence, restoreBlanks, suffixOf } from './blank-damage.ts'
import { standsAt } from './file-text.ts'
import type { ReadFile } from './file-state.ts'
import { binaryString, bytesOf, shownLine, splitLines } from './lines.ts'
import { hasReturns, isConverted, withoutReturns } from './line-ends.ts'
import type { FilePatch, HunkLine } from './model.ts'
import { hunkLine } from './print.ts'
import { patchTarget } from './target.ts'

/** What happened to a whole patch on its way here, by a mailer, an editor or a web page. */
export interface PatchDamage {
  /** Every line of it ends in CR LF, headers and all: the carriage returns are not its own. */
  readonly converted: boolean
  /** Line ends of the files in the tree that a converted patch changes, by the ends of their names. */
  readonly treeEnds: ReadonlyMap<string, 'lf' | 'crlf' | 'both'>
  readonly blanks: BlankDamage | undefined
}

/** A file's part of a patch with what was done to it on its way undone. */
export type Mended =
  | { readonly file: FilePatch; readonly how: string | undefined }
  | { readonly refused: string }

/**
 * What was done to a patch on its way, which is a fact of all its files together.
 * @param files in the direction of applying
 */
export function* patchDamage(files: readonly FilePatch[], read: ReadFile, strip: number): Steps<PatchDamage> {
  const converted = files.length > 0 && files.every(isConverted)
  const treeEnds = new Map<string, 'lf' | 'crlf' | 'both'>()
  const changed: (FileEvidence & { readonly isAsMade: boolean })[] = []
  for (const file of files) {
    yield
    if (file.hunks.length === 0) continue
    const target = patchTarget(file, strip, (path) => read(path)?.kind === 'file')
    const state = 'from' in target && target.from !== undefined ? read(target.from) : undefined
    if (state?.kind !== 'file') continue
    const text = binaryString(state.bytes)
    const ends = !text.includes('\r\n') ? 'lf' : /(?:^|[^\r])\n/.test(text) ? 'both' : 'crlf'
    const name = suffixOf(file)
    treeEnds.set(name, (treeEnds.get(name) ?? ends) === ends ? ends : 'both')
    const fitted = converted && ends === 'lf' ? withoutReturns(file) : file
    const lines = splitLines(text)
    const isAsMade = yield* everySteps(fitted.hunks, ({ old, lines: own }) =>
      standsAt(
        lines,
        old.start - 1,
        own.filter(({ kind }) => kind !== 'added').map((line) => line.text),
      ),
    )
    changed.push({ file: fitted, lines, isAsMade })
  }
  const isWhole = changed.every(({ isAsMade }) => isAsMade)
  return { converted, treeEnds, blanks: isWhole ? undefined : yield* blankDamage(changed) }
}

/** @param content the file that is changed, as a binary string */
export function mendChange(file: FilePatch, content: string, { converted, blanks }: PatchDamage): Mended {
  const isFitted = converted && !content.includes('\r\n') && file.hunks.length > 0
  const fitted = isFitted ? withoutReturns(file) : file
  const ends = isFitted ? returnsGone : undefined
  if (blanks === undefined || file.hunks.length === 0) return { file: fitted, how: ends }
  const restored = restoreBlanks(fitted, splitLines(content), blanks, remade)
  if ('unclear' in restored) return { refused: unclear(blanks, restored.unclear) }
  const isChanged = restored.hunks.some((hunk, at) =>
    hunk.lines.some((line, index) => line !== fitted.hunks[at]?.lines[index]),
  )
  const how = [ends, isChanged ? `${blanks.name}, which was undone` : undefined].filter(
    (part) => part !== undefined,
  )
  return { file: isChanged ? restored : fitted, how: how.length === 0 ? undefined : how.join('; ') }
}

const returnsGone = 'the patch had been converted to CR LF, which was undone'

const remade = ({ kind }: HunkLine, text: string): HunkLine => hunkLine(kind, text)

const unclear = ({ name }: BlankDamage, line: string): string =>
  `the white space of the patch was damaged on its way: ${name}, and what "${shownLine(line).trim()}"` +
  ' was is not clear; get the patch anew, as an attachment'

/** A new file has nothing in the tree to compare with: its blob's name decides, else the files beside it in the patch. */
export function mendNewFile(file: FilePatch, damage: PatchDamage): Mended {
  const { converted, treeEnds, blanks } = damage
  const bare = converted && hasReturns(file) ? withoutReturns(file) : file
  const isOwn = isNamedBlob(file)
  if (isOwn(file)) return { file, how: undefined }
  if (isOwn(bare)) return { file: bare, how: returnsGone }
  const ends = newEnds(suffixOf(file), treeEnds)
  if (bare !== file && ends === 'both') {
    return { refused: 'the patch was converted to CR LF, and which line ends its new file had is not clear' }
  }
  const fitted = ends === 'crlf' ? file : bare
  const how = fitted === file ? undefined : returnsGone
  if (blanks === undefined) return { file: fitted, how }
  const restored = restoreBlanks(fitted, [], blanks, remade)
  if ('unclear' in restored) return { refused: unclear(blanks, restored.unclear) }
  if (contentOf(restored) === contentOf(fitted)) return { file: fitted, how }
  if (isOwn(restored) || blanks.suffixes.has(suffixOf(file))) {
    return { file: restored, how: `${blanks.name}, which was undone` }
  }
  return { refused: unclear(blanks, restored.hunks[0]?.lines[0]?.text ?? '') }
}

/** Line ends of a new file: those of its like among the changed ones, else those of all of them, else LF as GNU patch has it. */
function newEnds(suffix: string, treeEnds: PatchDamage['treeEnds']): 'lf' | 'crlf' | 'both' {
  const like = treeEnds.get(suffix)
  if (like !== undefined) return like
  const all = new Set(treeEnds.values())
  return all.size > 1 ? 'both' : ([...all][0] ?? 'lf')
}

const contentOf = (file: FilePatch): string =>
  file.hunks.flatMap((hunk) => hunk.lines.map((line) => line.text)).join('')

const isNamedBlob =
  ({ git }: FilePatch) =>
  (file: FilePatch): boolean => {
    const blob = git?.newBlob ?? ''
    return (
      /^[0-9a-f]{7,}$/.test(blob) && !/^0+$/.test(blob) && blobId(bytesOf(contentOf(file))).startsWith(blob)
    )
  }
