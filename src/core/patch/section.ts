import { withoutEol } from './lines.ts'

/** How a place agrees with the section text of a hunk; `unknown` where the text says nothing. */
export type SectionVerdict = 'same' | 'other' | 'unknown'

/** The lines that diff takes for the head of a function or section. */
export interface Sections {
  /** Verdict for a hunk whose first line stands at index `at`. */
  readonly judge: (section: string, at: number) => SectionVerdict
}

const headLine = /^[A-Za-z_$]/

/**
 * Section heads as GNU diff -p and git find them by default: the last line before the hunk that begins
 * with a letter, `_` or `$`, cut to some length by the program that wrote the patch.
 */
export function sectionsOf(lines: readonly string[]): Sections {
  let heads: Int32Array | undefined
  const known = new Map<string, boolean>()
  const headBefore = (at: number): number => {
    heads ??= indexHeads(lines)
    return heads[Math.min(at, lines.length)] ?? -1
  }
  const exists = (section: string): boolean => {
    const cached = known.get(section)
    if (cached !== undefined) return cached
    const found = lines.some((line) => headLine.test(line) && line.startsWith(section))
    known.set(section, found)
    return found
  }
  return {
    judge: (section, at) => {
      if (!headLine.test(section) || section.length < 4) return 'unknown'
      const head = headBefore(at)
      if (head >= 0 && withoutEol(lines[head] ?? '').startsWith(section)) return 'same'
      return exists(section) ? 'other' : 'unknown'
    },
  }
}

/** For each index the last head line before it, or -1. */
function indexHeads(lines: readonly string[]): Int32Array {
  const heads = new Int32Array(lines.length + 1)
  let last = -1
  for (const [at, line] of lines.entries()) {
    heads[at] = last
    if (headLine.test(line)) last = at
  }
  heads[lines.length] = last
  return heads
}
