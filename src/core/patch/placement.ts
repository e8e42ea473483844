/** Where a hunk went and why; the verdict that people and the CLI's JSON see. */
export interface HunkPlacement {
  readonly status: PlacementStatus
  /** 1-based line of the file, before this patch, at which the hunk's old text begins; 0 if nowhere. */
  readonly line: number
  /** `line` minus the line that the patch names. */
  readonly offset: number
  /** Context lines of the hunk that are not in the file as they are in the patch. */
  readonly fuzz: number
  readonly why: string
  /** `low` only with `bestEffort`: the best of several places, not clearly the right one. */
  readonly confidence: 'high' | 'low'
  /** Best first; more than one where the hunk could have gone elsewhere. */
  readonly candidates: readonly PlacementCandidate[]
}

/** `skipped`: there is no place, and the hunk is left out as was asked for (documentation). */
export type PlacementStatus =
  | 'exact'
  | 'offset'
  | 'fuzz'
  | 'moved'
  | 'already-applied'
  | 'conflict'
  | 'skipped'

export interface PlacementCandidate {
  /** 1-based. */
  readonly line: number
  /** 1 is a perfect match of the hunk's old text; comparable within one hunk only. */
  readonly score: number
  readonly why: string
  /** What stands around it, for people; of refused hunks only. */
  readonly text?: string
}

/** Replaces `removed` lines of the file from index `at` (0-based) by `added`. */
export interface Edit {
  readonly at: number
  readonly removed: number
  readonly added: readonly string[]
}

/** A hunk with its place in a file; 0-based, half-open line indices of the file before the patch. */
export interface PlacedHunk {
  readonly placement: HunkPlacement
  readonly start: number
  readonly end: number
  /** In ascending order; empty where nothing is to be done (already applied, conflict). */
  readonly edits: readonly Edit[]
}

/**
 * The edits (all of a file, ascending) with a line feed on every line that will not be the file's last: what
 * was or will be the end of the file without one must not run together with what now follows.
 */
export function completeLines(lines: readonly string[], edits: readonly Edit[]): readonly Edit[] {
  const last = lines.at(-1)
  return edits.map((edit, index) => {
    const { at, removed, added } = edit
    const isEnd = index === edits.length - 1 && at + removed === lines.length
    const inner = isEnd ? added.slice(0, -1) : added
    const whole = inner.every((line) => line.endsWith('\n'))
    const complete = whole ? added : added.map((line, at) => (at < inner.length ? withLf(line) : line))
    const before = edits[index - 1]
    const isKept = before === undefined || before.at + before.removed < lines.length
    if (at === lines.length && added.length > 0 && last?.endsWith('\n') === false && isKept) {
      return { at: at - 1, removed: 1, added: [withLf(last), ...complete] }
    }
    return whole ? edit : { at, removed, added: complete }
  })
}

const withLf = (line: string): string => (line.endsWith('\n') ? line : `${line}\n`)

/** The lines after all edits; edits must ascend and not overlap. */
export function applyEdits(lines: readonly string[], edits: readonly Edit[]): string[] {
  const result: string[] = []
  let at = 0
  for (const edit of completeLines(lines, edits)) {
    for (; at < edit.at; at++) result.push(lines[at] ?? '')
    for (const line of edit.added) result.push(line)
    at = edit.at + edit.removed
  }
  for (; at < lines.length; at++) result.push(lines[at] ?? '')
  return result
}
