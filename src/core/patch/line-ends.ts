import type { FilePatch, HunkLine } from './model.ts'
import { hunkLine } from './print.ts'

/**
 * Whether a file's part of a patch has every line in CR LF, header and all: then something converted it on its way
 * (a mailer or a checkout), since diff and git end headers in LF whatever the file has.
 */
export const isConverted = (file: FilePatch): boolean =>
  file.crlfHeader && file.hunks.every(({ head, lines }) => head.endsWith('\r\n') && lines.every(endsInReturn))

/** Of a last line without line feed the conversion leaves the return alone. */
const endsInReturn = ({ text }: HunkLine): boolean => /\r\n?$/.test(text)

export const hasReturns = (file: FilePatch): boolean =>
  file.hunks.some(({ lines }) => lines.some(endsInReturn))

export const withoutReturns = (file: FilePatch): FilePatch => ({
  ...file,
  header: file.header.replaceAll('\r\n', '\n'),
  crlfHeader: false,
  hunks: file.hunks.map((hunk) => ({
    ...hunk,
    head: hunk.head.replace('\r\n', '\n'),
    lines: hunk.lines.map(withoutReturn),
  })),
})

const withoutReturn = (line: HunkLine): HunkLine =>
  endsInReturn(line) ? hunkLine(line.kind, line.text.replace(/\r(\n?)$/, '$1')) : line

/** Why a patch with LF alone does not fit a file with CR LF alone; undefined where that is not so. */
export function lineEndConflict(file: FilePatch, lines: readonly string[]): string | undefined {
  const wanted = file.hunks.flatMap((hunk) => hunk.lines).filter(({ kind }) => kind !== 'added')
  if (wanted.length === 0 || wanted.some(({ text }) => text.endsWith('\r\n'))) return undefined
  if (lines.length === 0 || !lines.every((line) => line.endsWith('\r\n'))) return undefined
  return 'the file has CR LF line ends, the patch has not'
}
