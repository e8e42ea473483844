import type { Hunk } from './model.ts'
import type { Edit } from './placement.ts'

/** A run of removed and added lines between context lines. */
export interface ChangeGroup {
  /** Index of the first removed line in `pre`; where nothing is removed, of the line that follows. */
  readonly preStart: number
  readonly removed: number
  readonly added: readonly string[]
}

/** A hunk taken apart for placing. */
export interface HunkSides {
  /** Context and removed lines: what must be found. */
  readonly pre: readonly string[]
  /** Context and added lines: what stands there afterwards. */
  readonly post: readonly string[]
  readonly groups: readonly ChangeGroup[]
  /** Context lines ahead of the first and behind the last change. */
  readonly leading: number
  readonly trailing: number
}

export function hunkSides(hunk: Hunk): HunkSides {
  const pre: string[] = []
  const post: string[] = []
  const groups: { preStart: number; removed: number; added: string[] }[] = []
  let open: { preStart: number; removed: number; added: string[] } | undefined
  for (const { kind, text } of hunk.lines) {
    if (kind === 'context') {
      open = undefined
      pre.push(text)
      post.push(text)
      continue
    }
    if (open === undefined) {
      open = { preStart: pre.length, removed: 0, added: [] }
      groups.push(open)
    }
    if (kind === 'removed') {
      pre.push(text)
      open.removed++
    } else {
      post.push(text)
      open.added.push(text)
    }
  }
  const last = groups.at(-1)
  const leading = groups[0]?.preStart ?? pre.length
  const trailing = last === undefined ? 0 : pre.length - last.preStart - last.removed
  return { pre, post, groups, leading, trailing }
}

/** The hunk's changes when its old text stands whole at index `start` of the file. */
export function editsAt(sides: HunkSides, start: number): Edit[] {
  return sides.groups.map((group) => ({
    at: start + group.preStart,
    removed: group.removed,
    added: group.added,
  }))
}
