import type { ApplyResult, FilePlacement } from './apply.ts'
import { withFittingLineEnds } from './line-ends.ts'
import { binaryString, splitLines } from './lines.ts'
import type { FilePatch, Hunk, HunkLine, PatchDocument } from './model.ts'
import type { Edit, PlacedHunk } from './placement.ts'
import { hunkLine, printPatch, rebuildHunk } from './print.ts'

const usualContext = 3

/**
 * The patch as it should have been for the files it was placed in: true contexts and numbers, preambles
 * and headers untouched, so that `git apply` and `patch -F0` take it exactly. What was applied already is
 * left out. Rewriting the result against the same files changes nothing.
 * @param result of applying (not reversing) this very patch; must not be refused
 * @returns a binary string; empty text besides the preamble where nothing is left to do
 */
export function rewritePatch(patch: PatchDocument, result: ApplyResult): string {
  let carried = ''
  const files: FilePatch[] = []
  for (const [at, file] of patch.files.entries()) {
    const placement = result.placements[at]
    const hunks = placement === undefined ? file.hunks : rewriteHunks(file, placement)
    const preamble = carried + file.preamble
    if (placement?.alreadyApplied === true || (hunks.length === 0 && file.hunks.length > 0))
      carried = preamble
    else {
      files.push({ ...file, preamble, hunks })
      carried = ''
    }
  }
  return printPatch({ ...patch, files, trailer: carried + patch.trailer })
}

function rewriteHunks(file: FilePatch, placement: FilePlacement): readonly Hunk[] {
  const before = placement.before
  if (file.oldAbsent || before === undefined) return file.hunks
  const text = binaryString(before.bytes)
  const lines = splitLines(text)
  const blocks = mergeOverlaps(
    withFittingLineEnds(file, text).hunks.flatMap((hunk, at) => {
      const placed = placement.hunks[at]
      return placed === undefined || placed.edits.length === 0 ? [] : [blockOf(hunk, placed, lines.length)]
    }),
  )
  let grown = 0
  return blocks.map((block) => {
    const made = block.kept ? block.hunk.lines : linesOf(lines, block)
    const oldCount = made.filter((line) => line.kind !== 'added').length
    const newCount = made.filter((line) => line.kind !== 'removed').length
    // An empty side is numbered by the line before it.
    const oldStart = oldCount === 0 ? block.start : block.start + 1
    const newStart = newCount === 0 ? block.start + grown : block.start + grown + 1
    grown += newCount - oldCount
    return rebuildHunk(block.hunk, made, oldStart, newStart)
  })
}

/** A stretch of the file that becomes one hunk; half-open, 0-based. */
interface Block {
  readonly hunk: Hunk
  readonly start: number
  readonly end: number
  readonly edits: readonly Edit[]
  /** The hunk's own lines are already true and enough. */
  readonly kept: boolean
}

function blockOf(hunk: Hunk, placed: PlacedHunk, lineCount: number): Block {
  const changes = hunk.lines.map((line) => line.kind !== 'context')
  const leading = changes.indexOf(true)
  const trailing = changes.length - 1 - changes.lastIndexOf(true)
  const { status, fuzz } = placed.placement
  const isWhole = (status === 'exact' || status === 'offset') && fuzz === 0
  const atEdge = trailing < leading ? placed.end === lineCount : placed.start === 0
  if (isWhole && leading + trailing > 0 && (leading === trailing || atEdge)) {
    return { hunk, start: placed.start, end: placed.end, edits: placed.edits, kept: true }
  }
  const context = Math.max(leading, trailing) || usualContext
  const [first, last] = [placed.edits[0], placed.edits.at(-1)]
  const start = Math.max(0, (first?.at ?? 0) - context)
  const end = Math.min(lineCount, (last?.at ?? 0) + (last?.removed ?? 0) + context)
  return { hunk, start, end, edits: placed.edits, kept: false }
}

function mergeOverlaps(blocks: readonly Block[]): Block[] {
  const merged: Block[] = []
  for (const block of blocks) {
    const last = merged.at(-1)
    if (last === undefined || block.start >= last.end) merged.push(block)
    else {
      const end = Math.max(last.end, block.end)
      merged[merged.length - 1] = { ...last, end, edits: [...last.edits, ...block.edits], kept: false }
    }
  }
  return merged
}

function linesOf(lines: readonly string[], block: Block): HunkLine[] {
  const made: HunkLine[] = []
  let at = block.start
  const contextUpTo = (end: number): void => {
    for (; at < end; at++) made.push(hunkLine('context', lines[at] ?? ''))
  }
  for (const edit of block.edits) {
    contextUpTo(edit.at)
    for (; at < edit.at + edit.removed; at++) made.push(hunkLine('removed', lines[at] ?? ''))
    for (const text of edit.added) made.push(hunkLine('added', text))
  }
  contextUpTo(block.end)
  return made
}
