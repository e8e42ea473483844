import { cutOperand, cutStatement, type Texts } from './c-cut.ts'
import { type Chain, chainsOf, type Operand } from './c-operands.ts'
import { checkSound } from './c-sound.ts'
import { doOf } from './c-statements.ts'
import { cTokens, type Token } from './c-tokens.ts'
import { cannotDrop } from './edit-error.ts'

/** A line as the patched file has it, without line end. */
export interface CodeLine {
  readonly text: string
  /** The patch adds it; other lines must stay as they are. */
  readonly added: boolean
  /** The patch removes it, and the edit brings it back. */
  readonly back?: boolean
  /** The edit undoes the whole change that the line is part of. */
  readonly undone?: boolean
}

export type Matches = (text: string) => boolean

/**
 * Drops added lines that match from C code. Where a line is, or holds, an operand of `||` or `&&`, only that
 * operand goes, with the operator that joins it, and parentheses and what follows them move to a neighbour.
 * An `if` or `while` of which no operand is left goes with what it guards.
 * @returns the lines' new texts; undefined for those that go
 * @throws build E_PATCH_EDIT where the rest would not be sound: unbalanced, or guarding something else
 */
export function dropFromCode(lines: readonly CodeLine[], matches: Matches): Texts {
  checkSize(lines, matches)
  let texts: Texts = lines.map(({ text, added, undone }) => (added && undone === true ? undefined : text))
  const gone = new Set<number>()
  // From the end, so that what moves up to an earlier line was judged already.
  for (const [at, { added }] of [...lines.entries()].reverse()) {
    const text = texts[at]
    if (!added || text === undefined || !matches(text)) continue
    const edited = dropOperands(lines, texts, at, matches)
    if (edited !== undefined) requireUntouched(texts, edited, gone)
    // Lines that go whole stay until the end: without its body, an `if` would guard what follows.
    else gone.add(at)
    texts = edited ?? texts
  }
  const isBack = (at: number): boolean => lines[at]?.back === true && lines[at].undone !== true
  checkSound({
    lines: lines.map(({ text }) => text),
    before: lines.map(({ text, back }) => (back === true ? undefined : text)),
    cut: texts,
    after: without(texts, gone),
    gone,
    back: new Set([...lines.keys()].filter(isBack)),
  })
  return without(texts, gone)
}

/** Each line that goes is looked at among all others, some times over. */
const maxLooks = 6_000_000
/** What is nested deeper than this could not be followed; and whole files of code are shorter. */
const maxLines = 20_000

function checkSize(lines: readonly CodeLine[], matches: Matches): void {
  const going = lines.filter(({ text, added, back }) => (added || back === true) && matches(text)).length
  const length = lines.reduce((sum, { text }) => sum + text.length, 0)
  if (going === 0 || (lines.length <= maxLines && going * length <= maxLooks)) return
  const first = lines.findIndex(({ text, added, back }) => (added || back === true) && matches(text))
  throw cannotDrop(lines[first]?.text ?? '', 'the hunk has too much code to look at for so many lines', first)
}

const without = (texts: Texts, gone: ReadonlySet<number>): Texts =>
  texts.map((text, at) => (gone.has(at) ? undefined : text))

/** A line that goes whole must not take in, nor move to, what stays of a condition. */
function requireUntouched(before: Texts, after: Texts, gone: ReadonlySet<number>): void {
  for (const at of gone) {
    const text = before[at]
    if (text === undefined || after[at] === text) continue
    const isMoved = after.some((one, line) => one !== before[line] && one?.includes(text.trim()))
    if (isMoved || after[at] !== undefined)
      throw cannotDrop(text, 'a condition ahead of it goes on in it', at)
  }
}

/** The texts without the operands of line `at` that match; undefined when the line itself is to go. */
function dropOperands(
  lines: readonly CodeLine[],
  original: Texts,
  at: number,
  matches: Matches,
): Texts | undefined {
  let texts = original
  while (texts[at] !== undefined) {
    const code = codeOf(texts)
    const operand = matchingOperand(code, at, matches, texts === original)
    if (operand === undefined) return texts === original ? undefined : texts
    const edited = withoutOperand(lines, code, operand, matches)
    if (edited === undefined) return undefined
    texts = edited
  }
  return texts
}

interface Code {
  readonly texts: Texts
  readonly tokens: readonly Token[]
  readonly operands: readonly Operand[]
}

function codeOf(texts: Texts): Code {
  const tokens = cTokens(texts.map((text) => text ?? ''))
  return { texts, tokens, operands: chainsOf(tokens).flatMap((chain) => chain.operands) }
}

function matchingOperand(code: Code, at: number, matches: Matches, first: boolean): Operand | undefined {
  const { tokens, operands } = code
  const onLine = operands.filter((one) => tokens[one.first]?.line === at && tokens[one.last]?.line === at)
  const outer = onLine.filter((one) => !onLine.some((other) => other !== one && contains(other, one)))
  const alone = outer.length === 1 && isFrameOnly(tokens, at, outer)
  const matching = outer.findLast((one) => matches(textOf(code, one)))
  if (matching !== undefined) {
    const isWhole = alone && matching.chain.operands.length > 1
    return isWhole ? matching : innermost(code, matching, matches)
  }
  if (!first) return undefined
  const parts = operands
    .filter((one) => !onLine.includes(one) && matches(partOnLine(code, one, at)))
    .sort((a, b) => a.last - a.first - (b.last - b.first))
  if (parts[0] !== undefined) return parts[0]
  if (alone) return outer[0]
  if (outer.length > 1 && isFrameOnly(tokens, at, outer)) {
    throw cannotDrop(code.texts[at] ?? '', 'the match covers more than one operand of a condition', at)
  }
  return undefined
}

const contains = (outer: Operand, inner: Operand): boolean =>
  outer.first <= inner.first && inner.last <= outer.last

/** Where an operand shares its line with others, only the part of it that matches is meant. */
function innermost(code: Code, operand: Operand, matches: Matches): Operand {
  const inner = code.operands.filter(
    (one) => one !== operand && contains(operand, one) && matches(textOf(code, one)),
  )
  const [largest] = inner
    .filter((one) => !isDoomed(code, one.chain, matches))
    .sort((a, b) => b.last - b.first - (a.last - a.first))
  return largest === undefined ? operand : innermost(code, largest, matches)
}

/** Whether nothing of the chain would be left: no operand, nor part of one, that does not match. */
function isDoomed(code: Code, chain: Chain, matches: Matches): boolean {
  const [first, last] = [chain.operands[0]?.first ?? 0, chain.operands.at(-1)?.last ?? -1]
  const parts = code.operands.filter((one) => first <= one.first && one.last <= last)
  return parts.every((one) => matches(textOf(code, one)))
}

const frame = new Set('if while ( ) { } || && else return ;'.split(' '))

/** Whether the line holds nothing but these operands and what frames a condition. */
function isFrameOnly(tokens: readonly Token[], at: number, operands: readonly Operand[]): boolean {
  return tokens.every(
    ({ line, text }, index) =>
      line !== at || frame.has(text) || operands.some((one) => one.first <= index && index <= one.last),
  )
}

function textOf({ texts, tokens }: Code, { first, last }: Operand): string {
  const [from, to] = [tokens[first], tokens[last]]
  if (from === undefined || to === undefined) return ''
  const lines = texts.slice(from.line, to.line + 1).map((text) => text ?? '')
  lines[lines.length - 1] = lines.at(-1)?.slice(0, to.end) ?? ''
  lines[0] = lines[0]?.slice(from.start) ?? ''
  return lines.map((line) => line.trim()).join(' ')
}

function partOnLine({ texts, tokens }: Code, { first, last }: Operand, at: number): string {
  const own = tokens.slice(first, last + 1).filter(({ line }) => line === at)
  return (texts[at] ?? '').slice(own[0]?.start ?? 0, own.at(-1)?.end ?? 0)
}

/** undefined when the condition and all its lines are to go. */
function withoutOperand(
  lines: readonly CodeLine[],
  code: Code,
  operand: Operand,
  matches: Matches,
): Texts | undefined {
  const { chain } = operand
  if (chain.operands.length > 1 && !isDoomed(code, chain, matches)) {
    return cutOperand(lines, code.texts, code.tokens, operand)
  }
  if (chain.control !== undefined) return withoutStatement(lines, code, chain.control, matches)
  const [from, to] = [chain.operands[0]?.first ?? 0, chain.operands.at(-1)?.last ?? 0]
  const [outer] = code.operands
    .filter((one) => one.chain !== chain && one.first <= from && to <= one.last)
    .sort((a, b) => a.last - a.first - (b.last - b.first))
  if (outer !== undefined) return withoutOperand(lines, code, outer, matches)
  if (areWholeLines(lines, code, { first: from, last: to }, matches)) return undefined
  throw cannotDrop(textOf(code, operand), 'nothing would be left of the expression', code.tokens[from]?.line)
}

/** Whether all lines on which these tokens stand are to go. */
function areWholeLines(
  lines: readonly CodeLine[],
  { tokens }: Code,
  { first, last }: { readonly first: number; readonly last: number },
  matches: Matches,
): boolean {
  return tokens
    .slice(first, last + 1)
    .every(({ line }) => lines[line]?.added === true && matches(lines[line].text))
}

/** A `while` that ends a `do` goes with it or not at all. */
function withoutStatement(
  lines: readonly CodeLine[],
  code: Code,
  control: number,
  matches: Matches,
): Texts | undefined {
  const { texts, tokens } = code
  const first = doOf(tokens, control)
  if (first === undefined) return cutStatement(lines, texts, tokens, control)
  if (first >= 0 && areWholeLines(lines, code, { first, last: control }, matches)) return undefined
  const line = tokens[control]?.line ?? 0
  throw cannotDrop(texts[line] ?? '', 'it ends a do { }, which would stay', line)
}
