import type { FilePatch, Hunk, HunkLine } from './model.ts'
import { hunkLine } from './print.ts'

/**
 * A patch whose every line ends in CR LF, header and all, for a file without any CR LF was converted on its
 * way (by a mailer or a checkout): the carriage returns are not its own.
 * @param text the file's content as a binary string
 */
export function withFittingLineEnds(file: FilePatch, text: string): FilePatch {
  if (!file.crlfHeader || text.includes('\r\n') || file.hunks.length === 0) return file
  const isConverted = file.hunks.every((hunk) => hunk.lines.every(({ text: line }) => line.endsWith('\r\n')))
  return isConverted ? { ...file, hunks: file.hunks.map(withoutReturns) } : file
}

const withoutReturns = (hunk: Hunk): Hunk => ({ ...hunk, lines: hunk.lines.map(withoutReturn) })

const withoutReturn = ({ kind, text }: HunkLine): HunkLine => hunkLine(kind, `${text.slice(0, -2)}\n`)

/** Why a patch with LF alone does not fit a file with CR LF alone; undefined where that is not so. */
export function lineEndConflict(file: FilePatch, lines: readonly string[]): string | undefined {
  const wanted = file.hunks.flatMap((hunk) => hunk.lines).filter(({ kind }) => kind !== 'added')
  if (wanted.length === 0 || wanted.some(({ text }) => text.endsWith('\r\n'))) return undefined
  if (lines.length === 0 || !lines.every((line) => line.endsWith('\r\n'))) return undefined
  return 'the file has CR LF line ends, the patch has not'
}
