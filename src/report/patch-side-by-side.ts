import { binaryString, displayText, splitLines } from '../core/patch/lines.ts'
import type { Hunk, LineKind, PatchDocument } from '../core/patch/model.ts'
import { applyEdits, type PlacedHunk } from '../core/patch/placement.ts'
import type { PatchOutcome } from './patch.ts'

export interface SideBySideOptions {
  readonly colour: boolean
  /** Width of both sides together. */
  readonly columns: number
}

const surroundingLines = 3
const colours = {
  removed: '\u001B[31m',
  added: '\u001B[32m',
  context: '',
  other: '\u001B[33m',
  dim: '\u001B[2m',
  off: '\u001B[0m',
} as const

/**
 * Every hunk that moved: on the left the patch's own lines, on the right the patched file around its place.
 * @param patch as it was applied, that is reversed where it was undone
 */
export function sideBySide(outcome: PatchOutcome, patch: PatchDocument, options: SideBySideOptions): string {
  return outcome.result.placements
    .flatMap((file, at) =>
      file.hunks.map((placed, number) => {
        const hunk = patch.files[at]?.hunks[number]
        if (hunk === undefined || file.before === undefined || !isMoved(placed)) return ''
        const lines = splitLines(binaryString(file.before.bytes))
        const title = `${outcome.name}: ${file.path} hunk ${number + 1}, moved to line ${placed.placement.line}`
        return `${shown(title)}\n${view(patchSide(hunk), fileSide(lines, placed), options)}\n`
      }),
    )
    .join('')
}

const isMoved = ({ placement }: PlacedHunk): boolean =>
  placement.status === 'moved' || placement.status === 'fuzz'

interface Cell {
  /** The line as it stands in the file, to compare. */
  readonly line: string
  readonly kind: LineKind
  /** What is printed. */
  readonly text: string
}

function patchSide({ lines }: Hunk): Cell[] {
  const marks = { context: ' ', removed: '-', added: '+' } as const
  return lines.map(({ kind, text }) => ({ kind, line: text, text: marks[kind] + shown(text) }))
}

function fileSide(lines: readonly string[], hunk: PlacedHunk): Cell[] {
  const [first, last] = [hunk.edits[0], hunk.edits.at(-1)]
  const start = Math.max(0, Math.min(hunk.start, first?.at ?? hunk.start) - surroundingLines)
  const end = Math.max(hunk.end, (last?.at ?? 0) + (last?.removed ?? 0)) + surroundingLines
  const added = new Set<number>()
  let grown = 0
  for (const edit of hunk.edits) {
    for (let at = 0; at < edit.added.length; at++) added.add(edit.at + grown + at)
    grown += edit.added.length - edit.removed
  }
  return applyEdits(lines, hunk.edits)
    .slice(start, Math.min(end, lines.length) + grown)
    .map((line, at) => ({
      line,
      kind: added.has(start + at) ? 'added' : 'context',
      text: `${String(start + at + 1).padStart(6)} ${shown(line)}`,
    }))
}

/** Nothing in a patch or a file may steer the terminal. */
const shown = (text: string): string =>
  displayText(text)
    .replaceAll('\t', '    ')
    .replaceAll(/\p{Cc}/gu, '')

type Row = readonly [left: Cell | undefined, right: Cell | undefined]

/** Equal lines beside each other: the longest common subsequence, what differs between them paired. */
function rowsOf(left: readonly Cell[], right: readonly Cell[]): Row[] {
  const same = (a: number, b: number): boolean =>
    left[a]?.kind !== 'removed' && left[a]?.line === right[b]?.line
  const width = right.length + 1
  const common = new Int32Array((left.length + 1) * width)
  for (let a = left.length - 1; a >= 0; a--) {
    for (let b = right.length - 1; b >= 0; b--) {
      const [down, across] = [common[(a + 1) * width + b] ?? 0, common[a * width + b + 1] ?? 0]
      const through = same(a, b) ? (common[(a + 1) * width + b + 1] ?? 0) + 1 : 0
      common[a * width + b] = Math.max(down, across, through)
    }
  }
  const rows: Row[] = []
  let [a, b] = [0, 0]
  while (a < left.length || b < right.length) {
    if (a < left.length && b < right.length && same(a, b)) rows.push([left[a++], right[b++]])
    else if (b >= right.length) rows.push([left[a++], undefined])
    else if (a >= left.length) rows.push([undefined, right[b++]])
    else if ((common[(a + 1) * width + b] ?? 0) >= (common[a * width + b + 1] ?? 0)) {
      rows.push([left[a++], undefined])
    } else rows.push([undefined, right[b++]])
  }
  return rows
}

function view(left: readonly Cell[], right: readonly Cell[], { colour, columns }: SideBySideOptions): string {
  const half = Math.max(20, Math.floor((columns - 3) / 2))
  const paint = (cell: Cell | undefined, isAlone: boolean): string => {
    const text = (cell?.text ?? '').slice(0, half).padEnd(half)
    if (!colour || cell === undefined) return text
    const tint = cell.kind === 'context' && isAlone ? colours.other : colours[cell.kind]
    return tint === '' ? text : `${tint}${text}${colours.off}`
  }
  const bar = colour ? `${colours.dim}│${colours.off}` : '|'
  return rowsOf(left, right)
    .map(([a, b]) => `${paint(a, b === undefined)} ${bar} ${paint(b, a === undefined)}`.trimEnd())
    .map((row) => `${row}\n`)
    .join('')
}
