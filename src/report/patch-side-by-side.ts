import { binaryString, displayText, splitLines } from '../core/patch/lines.ts'
import type { FilePatch, HunkLine, PatchDocument } from '../core/patch/model.ts'
import type { PlacedHunk } from '../core/patch/placement.ts'
import { applyEdits } from '../core/patch/placement.ts'
import type { PatchOutcome } from './patch.ts'

export interface SideBySideOptions {
  readonly colour: boolean
  readonly columns: number
}

const surroundingLines = 3
const colours = { removed: '\u001B[31m', added: '\u001B[32m', dim: '\u001B[2m', off: '\u001B[0m' } as const

/** Every hunk that moved: the patch's own text on the left, the file after it on the right. */
export function sideBySide(outcome: PatchOutcome, patch: PatchDocument, options: SideBySideOptions): string {
  return outcome.result.placements
    .map((file, at) =>
      file.hunks
        .map((hunk, number) => {
          const source = patch.files[at]
          if (source === undefined || file.before === undefined || !isMoved(hunk)) return ''
          const lines = splitLines(binaryString(file.before.bytes))
          const title = `${outcome.name}: ${file.path} hunk ${number + 1}: ${hunk.placement.status}, ${hunk.placement.why}`
          return `${title}\n${columns(patchSide(source, number), fileSide(lines, hunk), options)}\n`
        })
        .join(''),
    )
    .join('')
}

const isMoved = ({ placement }: PlacedHunk): boolean =>
  placement.status === 'moved' || placement.status === 'fuzz'

interface Cell {
  readonly text: string
  readonly kind: HunkLine['kind']
}

function patchSide(file: FilePatch, hunk: number): Cell[] {
  const marks = { context: ' ', removed: '-', added: '+' } as const
  return (file.hunks[hunk]?.lines ?? []).map(({ kind, text }) => ({ kind, text: marks[kind] + plain(text) }))
}

function fileSide(lines: readonly string[], hunk: PlacedHunk): Cell[] {
  const start = Math.max(0, Math.min(hunk.start, hunk.edits[0]?.at ?? hunk.start) - surroundingLines)
  const end = Math.min(lines.length, hunk.end + surroundingLines)
  const added = new Set<number>()
  let grown = 0
  for (const edit of hunk.edits) {
    for (let at = 0; at < edit.added.length; at++) added.add(edit.at + grown + at)
    grown += edit.added.length - edit.removed
  }
  const after = applyEdits(lines, hunk.edits)
  return after.slice(start, end + grown).map((text, at) => ({
    kind: added.has(start + at) ? 'added' : 'context',
    text: `${String(start + at + 1).padStart(5)} ${plain(text)}`,
  }))
}

const plain = (text: string): string =>
  displayText(text)
    .replaceAll('\t', '    ')
    .replaceAll(/\p{Cc}/gu, '')

function columns(
  left: readonly Cell[],
  right: readonly Cell[],
  { colour, columns: width }: SideBySideOptions,
): string {
  const half = Math.max(20, Math.floor((width - 3) / 2))
  const paint = (cell: Cell | undefined): string => {
    const text = (cell?.text ?? '').slice(0, half).padEnd(half)
    if (!colour || cell === undefined || cell.kind === 'context') return text
    return `${colours[cell.kind]}${text}${colours.off}`
  }
  const bar = colour ? `${colours.dim}│${colours.off}` : '|'
  const rows = Math.max(left.length, right.length)
  return Array.from(
    { length: rows },
    (_, row) => `${paint(left[row])} ${bar} ${paint(right[row])}`.trimEnd() + '\n',
  ).join('')
}
