import type { FileText } from './file-text.ts'
import { withoutEol } from './lines.ts'

/** How a place agrees with the section text of a hunk; `unknown` where the text says nothing. */
export type SectionVerdict = 'same' | 'other' | 'unknown'

/** The lines that diff takes for the head of a function or section. */
export interface Sections {
  /** Verdict for a hunk whose first line stands at index `at`. */
  readonly judge: (section: string, at: number) => SectionVerdict
  /** The lines of each section with such a head. */
  readonly bodies: (section: string) => readonly ReadonlySet<string>[]
}

/** A line is matched and put into a set. */
const bodySteps = 10

const headLine = /^[A-Za-z_$]/
/** A label or an access specifier. */
const labelLine = /^\w+\s*:\s*($|\/[/*])/

/**
 * Section heads as GNU diff -p and git find them by default: the last line before the hunk that begins
 * with a letter, `_` or `$`, cut to some length by the program that wrote the patch. With git's driver for C
 * (`*.c diff=cpp`, as in Linux) labels are none, so that both readings count.
 */
export function sectionsOf({ lines, spend }: FileText): Sections {
  let heads: readonly string[] | undefined
  let indices: readonly Int32Array[] | undefined
  const known = new Map<string, boolean>()
  const bodies = new Map<string, readonly ReadonlySet<string>[]>()
  const headsBefore = (at: number): readonly string[] => {
    indices ??= [indexHeads(lines, isHead), indexHeads(lines, isFunctionHead)]
    return indices.map((heads) => withoutEol(lines[heads[Math.min(at, lines.length)] ?? -1] ?? ''))
  }
  const exists = (section: string): boolean => {
    const cached = known.get(section)
    if (cached !== undefined) return cached
    heads ??= lines.filter(isHead)
    spend(heads.length)
    const found = heads.some((line) => line.startsWith(section))
    known.set(section, found)
    return found
  }
  return {
    judge: (section, at) => {
      if (!headLine.test(section) || section.length < 4) return 'unknown'
      if (headsBefore(at).some((head) => head.startsWith(section))) return 'same'
      return exists(section) ? 'other' : 'unknown'
    },
    bodies: (section) => {
      const cached = bodies.get(section)
      if (cached !== undefined) return cached
      spend(lines.length * bodySteps)
      const found = bodiesOf(lines, section)
      bodies.set(section, found)
      return found
    },
  }
}

const isHead = (line: string): boolean => headLine.test(line)
const isFunctionHead = (line: string): boolean => isHead(line) && !labelLine.test(line)

function bodiesOf(lines: readonly string[], section: string): readonly ReadonlySet<string>[] {
  const bodies: Set<string>[] = []
  let open: Set<string> | undefined
  for (const line of lines) {
    if (isFunctionHead(line)) {
      open = line.startsWith(section) ? new Set() : undefined
      if (open !== undefined) bodies.push(open)
    }
    open?.add(line)
  }
  return bodies
}

/** For each index the last head line before it, or -1. */
function indexHeads(lines: readonly string[], counts: (line: string) => boolean): Int32Array {
  const heads = new Int32Array(lines.length + 1)
  let last = -1
  for (const [at, line] of lines.entries()) {
    heads[at] = last
    if (counts(line)) last = at
  }
  heads[lines.length] = last
  return heads
}
