import { binaryString, displayText, splitLines } from '../core/patch/lines.ts'
import type { FilePatch, HunkLine, PatchDocument } from '../core/patch/model.ts'
import type { PlacedHunk } from '../core/patch/placement.ts'
import type { PatchOutcome } from './patch.ts'

export interface SideBySideOptions {
  readonly colour: boolean
  readonly columns: number
}

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
          const left = patchSide(source, number)
          const title = `${outcome.name}: ${file.path} hunk ${number + 1}: ${hunk.placement.status}, ${hunk.placement.why}`
          return `${title}\n${columns(left, fileSide(lines, hunk, left), options)}\n`
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

/** The file after the hunk: its rows stand beside those of the patch, lines that went away leave a gap. */
function fileSide(lines: readonly string[], hunk: PlacedHunk, source: readonly Cell[]): Cell[] {
  const leading = source.findIndex(({ kind }) => kind !== 'context')
  const trailing = source.length - 1 - source.findLastIndex(({ kind }) => kind !== 'context')
  const [first, last] = [hunk.edits[0], hunk.edits.at(-1)]
  const end = Math.min(lines.length, (last?.at ?? 0) + (last?.removed ?? 0) + trailing)
  const cells: Cell[] = []
  let [at, grown] = [Math.max(0, (first?.at ?? 0) - leading), 0]
  const put = (kind: Cell['kind'], text: string): void => {
    cells.push({ kind, text: `${String(at + grown + 1).padStart(5)} ${plain(text)}` })
  }
  for (const edit of [...hunk.edits, { at: end, removed: 0, added: [] }]) {
    for (; at < edit.at; at++) put('context', lines[at] ?? '')
    for (let left = edit.removed; left > 0; left--) cells.push({ kind: 'context', text: '' })
    for (const text of edit.added) {
      put('added', text)
      grown++
    }
    at += edit.removed
    grown -= edit.removed
  }
  return cells
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
