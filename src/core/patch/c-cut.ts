import type { Operand } from './c-operands.ts'
import { guardedEnd } from './c-statements.ts'
import { cannotDrop } from './edit-error.ts'
import { cTokens, type Token } from './c-tokens.ts'

/** Texts of consecutive lines without line ends; undefined for a line that is gone. */
export type Texts = readonly (string | undefined)[]

type Lines = readonly { readonly added: boolean }[]

/** Takes an operand away with the operator that joins it; the lines stay laid out as they were. */
export function cutOperand(lines: Lines, texts: Texts, tokens: readonly Token[], operand: Operand): Texts {
  const [first, last] = [tokenAt(tokens, operand.first), tokenAt(tokens, operand.last)]
  const operator = joiningOperator(tokens, operand)
  const isBefore = operator.line < first.line || (operator.line === first.line && operator.end <= first.start)
  const start = isBefore && operator.line === first.line ? operator.start : first.start
  const end = !isBefore && operator.line === last.line ? operator.end : last.end
  const isApart = operator.line !== (isBefore ? first.line : last.line)
  requireAdded(lines, texts, Math.min(first.line, operator.line), first.line, last.line, operator.line)
  const withoutOperator = isApart ? texts.with(operator.line, cutToken(texts, operator)) : texts
  const cut = cutRange(withoutOperator, first.line, start, last.line, end)
  const tidied = tidyLine(lines, cut, first.line)
  return isApart ? dropEmptyLine(tidied, operator.line) : tidied
}

/** Takes a whole `if` or `while` away, with what it guards. */
export function cutStatement(lines: Lines, texts: Texts, tokens: readonly Token[], control: number): Texts {
  const isElse = tokens[control - 1]?.text === 'else'
  const start = isElse ? control - 1 : control
  const end = guardedEnd(tokens, control)
  const { line } = tokenAt(tokens, control)
  const shown = texts[line] ?? ''
  if (end === undefined) throw cannotDrop(shown, 'what it guards is not all in the hunk', line)
  if (tokens[end + 1]?.text === 'else') throw cannotDrop(shown, 'an else hangs on it', line)
  const ahead = tokens[start - 1]?.text
  if (!isElse && (ahead === 'else' || ahead === ')' || ahead === 'do')) {
    throw cannotDrop(shown, 'it is itself guarded without braces', line)
  }
  const [first, last] = [tokenAt(tokens, start), tokenAt(tokens, end)]
  requireAdded(lines, texts, first.line, ...range(first.line, last.line))
  const cut = dropEmptyLine(cutRange(texts, first.line, first.start, last.line, last.end), first.line)
  return joinBlankLines(lines, cut, first.line, last.line)
}

function tokenAt(tokens: readonly Token[], at: number): Token {
  const token = tokens[at]
  if (token === undefined) throw new Error('a token index out of range')
  return token
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at)

/** The operator that binds tighter; of two alike the one on the operand's own line. */
function joiningOperator(tokens: readonly Token[], { first, last, chain }: Operand): Token {
  const at = chain.operands.findIndex((one) => one.first === first)
  const [left, right] = [chain.operators[at - 1], chain.operators[at]]
  const [before, after] = [tokens[left ?? -1], tokens[right ?? -1]]
  if (before === undefined || after === undefined) {
    const only = before ?? after
    if (only === undefined) throw new Error('an operand without operators')
    return only
  }
  if (before.text !== after.text) return before.text === '&&' ? before : after
  if (before.line === tokens[first]?.line) return before
  return after.line === tokens[last]?.line ? after : before
}

function requireAdded(lines: Lines, texts: Texts, shown: number, ...wanted: readonly number[]): void {
  const text = texts[shown] ?? ''
  if (wanted.some((line) => lines[line]?.added !== true)) {
    throw cannotDrop(text, 'the condition goes on in lines that the patch does not add', shown)
  }
  if (wanted.some((line) => texts[line]?.endsWith('\\') === true)) {
    throw cannotDrop(text, 'it stands in a macro of several lines', shown)
  }
}

/** An operator on another line goes alone: a comment behind it belongs to what stays. */
function cutToken(texts: Texts, { line, start, end }: Token): string {
  const text = texts[line] ?? ''
  const [head, tail] = [text.slice(0, start), text.slice(end)]
  return head.trim() === '' ? head + tail.trimStart() : head.trimEnd() + tail
}

/** Cuts from one place to another; what is left of both lines is joined on the first. */
function cutRange(texts: Texts, fromLine: number, start: number, toLine: number, end: number): Texts {
  const head = (texts[fromLine] ?? '').slice(0, start)
  const tail = (texts[toLine] ?? '').slice(end)
  return texts.map((text, at) =>
    at === fromLine ? joined(head, tail) : at > fromLine && at <= toLine ? undefined : text,
  )
}

function joined(head: string, tail: string): string {
  if (head.trim() === '') return head + tail.trimStart()
  if (tail.trim() === '') return head.trimEnd()
  const isTight = /[([!]\s*$/.test(head) || /^\s*[)\];,]/.test(tail)
  return head.trimEnd() + (isTight ? '' : ' ') + tail.trimStart()
}

const tails = new Set(') ] { ; || && ,'.split(' '))
const heads = new Set('( ! return ='.split(' '))

/** A line of which only closing brackets are left ends the line before; one that only opens begins the next. */
function tidyLine(lines: Lines, texts: Texts, at: number): Texts {
  const tokens = cTokens(texts.map((text) => text ?? ''))
  const own = tokens.filter(({ line }) => line === at)
  const [first, last] = [own[0], own.at(-1)]
  if (first === undefined || last === undefined) return dropEmptyLine(texts, at)
  const text = texts[at] ?? ''
  if (own.every((token) => tails.has(token.text))) {
    const before = tokens.findLast(({ line }) => line < at)
    if (before === undefined || lines[before.line]?.added !== true) return texts
    const line = texts[before.line] ?? ''
    const moved = (/^[{|&]/.test(first.text) ? ' ' : '') + text.slice(first.start, last.end)
    requireWholeComments(text.slice(last.end), at)
    return texts
      .with(before.line, line.slice(0, before.end) + moved + line.slice(before.end))
      .with(at, undefined)
  }
  if (!heads.has(last.text)) return texts
  const next = texts.findIndex((one, index) => index > at && one !== undefined)
  const hasCode = tokens.some(({ line }) => line === next)
  if (!hasCode || lines[next]?.added !== true || /^\s*(?:\/\*|\/\/)/.test(texts[next] ?? '')) return texts
  requireWholeComments(text.slice(last.end), at)
  return texts.with(at, joined(text.slice(0, last.end), texts[next] ?? '')).with(next, undefined)
}

function dropEmptyLine(texts: Texts, at: number): Texts {
  const text = texts[at]
  if (text === undefined || cTokens([text]).length > 0) return texts
  requireWholeComments(text, at)
  return texts.with(at, undefined)
}

/** What stood beside the operand as a comment goes with it, unless it runs on. */
function requireWholeComments(text: string, at: number): void {
  if (text.replaceAll(/\/\*.*?\*\//g, '').includes('/*')) {
    throw cannotDrop(text, 'a comment beside it runs over several lines', at)
  }
}

/** Two blank lines where one statement stood between them are one too many. */
function joinBlankLines(lines: Lines, texts: Texts, from: number, to: number): Texts {
  const before = texts.findLast((text, at) => at < from && text !== undefined)
  const after = texts.findIndex((text, at) => at > to && text !== undefined)
  const isDouble = before?.trim() === '' && texts[after]?.trim() === '' && lines[after]?.added === true
  return isDouble ? texts.with(after, undefined) : texts
}
