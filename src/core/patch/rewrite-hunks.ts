import { standsAt } from './file-text.ts'
import { editsAt, hunkSides } from './hunk-sides.ts'
import type { Hunk, HunkLine } from './model.ts'
import { completeLines, type Edit, type PlacedHunk } from './placement.ts'
import { hunkLine, rebuildHunk } from './print.ts'

/** Changes that will form one hunk; 0-based, half-open lines of the file before the patch. */
interface Block {
  /** Gives the `@@` line with its section text. */
  readonly source: Hunk
  readonly edits: readonly Edit[]
  /** From the first changed line to behind the last. */
  readonly from: number
  readonly to: number
  /** Context lines wanted ahead and behind; fewer only at the ends of the file. */
  readonly leading: number
  readonly trailing: number
  /** The hunk's own lines from the first change to the last, where they stand as they are. */
  readonly lines: readonly HunkLine[] | undefined
}

const usualContext = 3

/**
 * The hunks of one file with the context and the numbers that are true for it.
 * @param fileLines the file before the patch
 * @param placed one for each of `hunks`, none refused
 */
export function rewriteHunks(
  fileLines: readonly string[],
  hunks: readonly Hunk[],
  placed: readonly PlacedHunk[],
): Hunk[] {
  const blocks: Block[] = []
  const all = completeLines(
    fileLines,
    placed.flatMap((place) => place.edits),
  )
  let taken = 0
  for (const [at, hunk] of hunks.entries()) {
    const place = placed[at]
    if (place === undefined || place.edits.length === 0) continue
    const edits = all.slice(taken, taken + place.edits.length)
    taken += edits.length
    for (const block of blocksOf(fileLines, hunk, { ...place, edits })) {
      const last = blocks.at(-1)
      if (last !== undefined && last.trailing + block.leading > block.from - last.to) {
        blocks[blocks.length - 1] = merged(last, block)
      } else blocks.push(block)
    }
  }
  let delta = 0
  return blocks.map((block) => {
    const hunk = hunkOf(fileLines, block, delta)
    delta += hunk.new.count - hunk.old.count
    return hunk
  })
}

function blocksOf(fileLines: readonly string[], hunk: Hunk, place: PlacedHunk): Block[] {
  const sides = hunkSides(hunk)
  const context = Math.max(sides.leading, sides.trailing) || usualContext
  if (standsAt(fileLines, place.start, sides.pre) && sameEdits(place.edits, editsAt(sides, place.start))) {
    return [standingBlock(fileLines, hunk, place.edits, sides.leading, sides.trailing)]
  }
  const blocks: Block[] = []
  let open: Edit[] = []
  const close = (): void => {
    if (open.length === 0) return
    const source = blocks.length === 0 ? hunk : withoutSection(hunk)
    blocks.push(blockOf(source, open, context, context))
    open = []
  }
  for (const edit of place.edits) {
    const last = open.at(-1)
    // As diff does: where more lies between two changes than their contexts, a new hunk begins.
    if (last !== undefined && edit.at - last.at - last.removed > 2 * context) close()
    open.push(edit)
  }
  close()
  return blocks
}

/** A hunk that stands line by line keeps its lines; its context grows only where tools insist on more. */
function standingBlock(
  fileLines: readonly string[],
  hunk: Hunk,
  edits: readonly Edit[],
  leading: number,
  trailing: number,
): Block {
  const block = blockOf(hunk, edits, leading, trailing)
  const first = hunk.lines.findIndex((line) => line.kind !== 'context')
  const last = hunk.lines.findLastIndex((line) => line.kind !== 'context')
  const lines = hunk.lines.slice(first, last + 1)
  const bare = leading === 0 && trailing === 0
  // GNU patch takes less context behind than ahead for the end of the file, git takes none behind for it.
  const short = trailing < leading && block.to + trailing < fileLines.length
  if (bare) return { ...block, lines, leading: usualContext, trailing: usualContext }
  return { ...block, lines, trailing: short ? leading : trailing }
}

function blockOf(source: Hunk, edits: readonly Edit[], leading: number, trailing: number): Block {
  const last = edits.at(-1)
  const from = edits[0]?.at ?? 0
  const to = last === undefined ? from : last.at + last.removed
  return { source, edits, from, to, leading, trailing, lines: undefined }
}

function merged(a: Block, b: Block): Block {
  const leading = Math.max(a.leading, a.trailing, b.leading, b.trailing)
  return blockOf(a.source, [...a.edits, ...b.edits], leading, leading)
}

function hunkOf(fileLines: readonly string[], block: Block, delta: number): Hunk {
  const start = Math.max(block.from - block.leading, 0)
  const end = Math.min(block.to + block.trailing, fileLines.length)
  const context = (from: number, to: number): HunkLine[] =>
    fileLines.slice(from, to).map((text) => hunkLine('context', text))
  const lines = [
    ...context(start, block.from),
    ...(block.lines ?? changedLines(fileLines, block, context)),
    ...context(block.to, end),
  ]
  const oldCount = lines.filter((line) => line.kind !== 'added').length
  const newCount = lines.filter((line) => line.kind !== 'removed').length
  return rebuildHunk(
    block.source,
    keepRaw(block.source, lines),
    lineNumber(start, oldCount),
    lineNumber(start + delta, newCount),
  )
}

/** An empty range is named by the line ahead of it. */
const lineNumber = (start: number, count: number): number => (count === 0 ? start : start + 1)

function changedLines(
  fileLines: readonly string[],
  { edits, from }: Block,
  context: (from: number, to: number) => HunkLine[],
): HunkLine[] {
  const lines: HunkLine[] = []
  const put = (more: readonly HunkLine[]): void => {
    for (const line of more) lines.push(line)
  }
  let at = from
  for (const edit of edits) {
    put(context(at, edit.at))
    at = edit.at + edit.removed
    put(fileLines.slice(edit.at, at).map((text) => hunkLine('removed', text)))
    put(edit.added.map((text) => hunkLine('added', text)))
  }
  return lines
}

/**
 * Where the lines came out as the hunk had them, its own spelling of them stays (an empty context line
 * without its space, another language's `\ No newline`), except for spellings that only some tools read.
 */
function keepRaw(source: Hunk, lines: readonly HunkLine[]): readonly HunkLine[] {
  const same =
    lines.length === source.lines.length &&
    lines.every((line, at) => line.kind === source.lines[at]?.kind && line.text === source.lines[at].text)
  return (same ? source.lines : lines).map((line) =>
    isPortable(line) ? line : hunkLine(line.kind, line.text),
  )
}

function isPortable({ text, raw }: HunkLine): boolean {
  if (text === '\n' && raw === '\n') return true
  const rest = raw.startsWith(text, 1) ? raw.slice(1 + text.length) : undefined
  if (rest === undefined || !/^[ +-]/.test(raw)) return false
  return text.endsWith('\n') ? rest === '' : /^\n\\ [^\n]*\n$/.test(rest)
}

function withoutSection(hunk: Hunk): Hunk {
  return { ...hunk, head: hunk.head.replace(/^(@@ [^@]*@@)[^\r\n]*/, '$1'), section: '' }
}

function sameEdits(a: readonly Edit[], b: readonly Edit[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ at, removed, added }, index) => {
      const other = b[index]
      return other?.at === at && other.removed === removed && sameLines(added, other.added)
    })
  )
}

const sameLines = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((line, at) => line === b[at])
