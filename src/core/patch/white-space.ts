import { withoutEol } from './lines.ts'

/** Blanks that are no blank or tab (in UTF-8): non-breaking, of other widths, of none. What web pages and mailers make. */
const oddBlank = /\xc2\xa0|\xe2\x80[\x80-\x8a\xaf]|\xe3\x80\x80/g
const noWidth = /\xe2\x80[\x8b-\x8d]|\xef\xbb\xbf/g
/** A non-breaking space in Latin-1: alone among ASCII. */
const latinBlank = /(?<![\x80-\xff])\xa0(?![\x80-\xff])/g

/** The line with blanks for what only looks like them. */
export const plainBlanks = (line: string): string =>
  line.replaceAll(oddBlank, ' ').replaceAll(noWidth, '').replaceAll(latinBlank, ' ')

/** What is left of a line without its white space: lines of the same key say the same. */
export const lineKey = (line: string): string => plainBlanks(line).replaceAll(/[ \t\r\n\f\v]+/g, '')

/** A line's words, as white space parts them. */
export const blankParted = (line: string): readonly string[] =>
  plainBlanks(line)
    .split(/[ \t\r\n\f\v]+/)
    .filter(Boolean)

export const leadOf = (line: string): string => /^[ \t]*/.exec(line)?.[0] ?? ''

/** Without white space at its end, and without its line end. */
export const withoutTail = (line: string): string => line.replace(/[ \t\r\n]+$/, '')

/** How tabs became blanks: up to the next of stops so many columns apart, or always as many blanks. */
export interface TabRule {
  readonly kind: 'stops' | 'fixed'
  readonly width: number
  /** Column of a line's first character: 1 where the patch's own marker took the first one. */
  readonly origin: number
}

/** Likeliest first: a terminal shows tabs to stops of 8, with the marker in the first column. */
export const tabRules: readonly TabRule[] = [
  ...[8, 4, 2, 3].flatMap((width) => [1, 0].map((origin): TabRule => ({ kind: 'stops', width, origin }))),
  ...[8, 4, 2, 3, 7].map((width): TabRule => ({ kind: 'fixed', width, origin: 0 })),
]

/** Calls back with each run of white space, and the column at which it begins, and replaces it by the result. */
function replaceRuns(
  line: string,
  origin: number,
  replace: (run: string, column: number, isLead: boolean) => string,
): string {
  let [out, column] = ['', origin]
  for (const part of line.match(/[ \t]+|[^ \t]+/g) ?? []) {
    if (!/^[ \t]/.test(part)) {
      out += part
      // A character of UTF-8 is one column, however many bytes it has.
      column += part.replaceAll(/[\x80-\xbf]/g, '').length
      continue
    }
    const made = replace(part, column, out === '')
    out += made
    column += /\t/.test(part) ? made.length : part.length
  }
  return out
}

/** The line as it is where its tabs became blanks. */
export const expandTabs = (line: string, { kind, width, origin }: TabRule): string =>
  replaceRuns(withoutEol(line), origin, (run, start) => {
    let column = start
    for (const char of run) {
      column += char !== '\t' ? 1 : kind === 'fixed' ? width : width - (column % width)
    }
    return ' '.repeat(column - start)
  }) + line.slice(withoutEol(line).length)

/** What runs of blanks inside of lines are known to have been. */
export type InnerRuns = 'tabs' | 'blanks' | 'unknown'

/** Of runs of several blanks, and of single ones where a tab would have been one blank wide. */
export interface InnerEvidence {
  readonly several: InnerRuns
  readonly single: InnerRuns
}

/**
 * The line as it was before its tabs became blanks: the blanks at its begin were tabs as far as they fill whole ones.
 * @returns undefined where a run inside of the line may have been either
 */
export function contractBlanks(line: string, rule: TabRule, inner: InnerEvidence): string | undefined {
  const { kind, width, origin } = rule
  let isClear = true
  const made = replaceRuns(withoutEol(line), origin, (run, column, isLead) => {
    if (run.includes('\t')) return run
    const end = column + run.length
    const tabs =
      kind === 'fixed' ? Math.floor(run.length / width) : Math.floor(end / width) - Math.floor(column / width)
    const rest = kind === 'fixed' ? run.length % width : end % width
    if (tabs === 0) return run
    if (isLead) return '\t'.repeat(tabs) + ' '.repeat(rest)
    const was = run.length > 1 ? inner.several : inner.single
    if (rest > 0 || was === 'blanks') return run
    if (was === 'unknown') isClear = false
    return '\t'.repeat(tabs)
  })
  return isClear ? made + line.slice(withoutEol(line).length) : undefined
}

/** Runs inside of a line of blanks that may have been tabs by the rule, with their number in the line. */
export function possibleTabs(
  line: string,
  rule: TabRule,
): readonly { readonly single: boolean; readonly at: number }[] {
  const found: { single: boolean; at: number }[] = []
  let at = -1
  replaceRuns(withoutEol(line), rule.origin, (run, column, isLead) => {
    if (isLead) return run
    at++
    const filled = rule.kind === 'fixed' ? run.length : column + run.length
    if (filled % rule.width === 0 && !run.includes('\t')) found.push({ single: run.length === 1, at })
    return run
  })
  return found
}
