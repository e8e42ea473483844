import { splitLines } from './lines.ts'

/** A half-open stretch of text. */
interface Span {
  readonly start: number
  readonly end: number
}

/**
 * Added lines without those that match. A match within the parentheses of `if (…)` or `while (…)` takes only
 * its operand of `||` or `&&` away; where no operand is left, the statement goes.
 */
export function dropConditions(lines: readonly string[], pattern: RegExp): string[] {
  let text = lines.join('')
  for (;;) {
    const next = dropOne(text, pattern)
    if (next === undefined) return splitLines(text).filter((line) => isComment(line) || !pattern.test(line))
    text = next
  }
}

const isComment = (line: string): boolean => /^\s*(\/\*(?!.*\*\/)|\*\/)/.test(line)

function dropOne(text: string, pattern: RegExp): string | undefined {
  for (const match of text.matchAll(/\b(?:if|while)\s*\(/g)) {
    const open = match.index + match[0].length - 1
    const close = closingParenthesis(text, open)
    if (close === undefined) continue
    const inner = { start: open + 1, end: close }
    if (!pattern.test(flat(text, inner))) continue
    const left = withoutOperands(text, inner, pattern)
    if (left !== undefined) return text.slice(0, inner.start) + left + text.slice(inner.end)
    return withoutStatement(text, match.index, close + 1)
  }
  return undefined
}

/** Line breaks inside a condition must not hide a match. */
const flat = (text: string, span: Span): string => text.slice(span.start, span.end).replaceAll(/\s+/g, ' ')

/** The condition without matching operands; undefined when none is left. */
function withoutOperands(text: string, span: Span, pattern: RegExp): string | undefined {
  for (const operator of ['||', '&&'] as const) {
    const operands = splitOperands(text, span, operator)
    if (operands.length === 1) continue
    const kept = operands.flatMap((operand) => {
      if (!pattern.test(flat(text, operand))) return [operand]
      const inner = withoutOperands(text, operand, pattern)
      return inner === undefined ? [] : [{ ...operand, text: inner }]
    })
    if (kept.length === 0) return undefined
    return joinOperands(text, span, operands, kept)
  }
  const inner = parenthesised(text, span)
  if (inner === undefined) return undefined
  const left = withoutOperands(text, inner, pattern)
  return left === undefined
    ? undefined
    : text.slice(span.start, inner.start) + left + text.slice(inner.end, span.end)
}

type Operand = Span & { readonly text?: string }

/** Keeps what stood between operands, so that the layout of the lines that stay does not change. */
function joinOperands(text: string, span: Span, all: readonly Span[], kept: readonly Operand[]): string {
  const ends = new Map(all.map((operand, at) => [operand.start, at]))
  const edge = text.slice(all[0]?.start ?? span.start, all[0]?.end).match(/^\s*/)?.[0] ?? ''
  return kept
    .map((operand, at) => {
      const own = operand.text ?? text.slice(operand.start, operand.end)
      if (at === 0) return edge + own.trimStart()
      const index = ends.get(operand.start) ?? 0
      const between = text.slice(all[index - 1]?.end ?? operand.start, operand.start)
      return between + own
    })
    .join('')
    .trimEnd()
}

/** A span that is one pair of parentheses, perhaps behind a `!`: what is inside them. */
function parenthesised(text: string, span: Span): Span | undefined {
  const lead = /^\s*!?\s*\(/.exec(text.slice(span.start, span.end))
  if (lead === null) return undefined
  const open = span.start + lead[0].length - 1
  const close = closingParenthesis(text, open)
  if (close === undefined || text.slice(close + 1, span.end).trim() !== '') return undefined
  return { start: open + 1, end: close }
}

function splitOperands(text: string, span: Span, operator: '||' | '&&'): Span[] {
  const operands: Span[] = []
  let start = span.start
  for (const at of topLevel(text, span)) {
    if (text.startsWith(operator, at)) {
      operands.push({ start, end: at })
      start = at + operator.length
    }
  }
  operands.push({ start, end: span.end })
  return trimEnds(text, operands)
}

/** Operators belong to what stands between operands, with the blanks ahead of them. */
function trimEnds(text: string, operands: readonly Span[]): Span[] {
  return operands.map((operand) => {
    const own = text.slice(operand.start, operand.end)
    return { start: operand.start, end: operand.start + own.trimEnd().length }
  })
}

/** Indices outside parentheses, strings and comments. */
function* topLevel(text: string, span: Span): Generator<number> {
  let depth = 0
  for (let at = span.start; at < span.end; at++) {
    const skipped = skipLiteral(text, at)
    if (skipped !== at) {
      at = skipped - 1
      continue
    }
    const char = text[at]
    if (char === '(' || char === '[') depth++
    else if (char === ')' || char === ']') depth--
    else if (depth === 0) yield at
  }
}

function closingParenthesis(text: string, open: number): number | undefined {
  let depth = 0
  for (let at = open; at < text.length; at++) {
    const skipped = skipLiteral(text, at)
    if (skipped !== at) {
      at = skipped - 1
      continue
    }
    if (text[at] === '(') depth++
    else if (text[at] === ')' && --depth === 0) return at
  }
  return undefined
}

/** The index behind a string, character or comment that starts at `at`; `at` where none does. */
function skipLiteral(text: string, at: number): number {
  const literal = /^(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\*[\s\S]*?\*\/|\/\/[^\n]*)/.exec(
    text.slice(at, at + 2000),
  )
  return literal === null ? at : at + literal[0].length
}

/** The text without an `if` or `while`, whose condition ends before `end`, and without what it guards. */
function withoutStatement(text: string, start: number, end: number): string {
  const lineStart = text.lastIndexOf('\n', start) + 1
  const body = /^\s*/.exec(text.slice(end))?.[0].length ?? 0
  let at = end + body
  if (text[at] === '{') {
    let depth = 0
    for (; at < text.length; at++) {
      if (text[at] === '{') depth++
      else if (text[at] === '}' && --depth === 0) break
    }
  } else at = text.indexOf(';', at)
  const lineEnd = at === -1 ? -1 : text.indexOf('\n', at)
  const rest = lineEnd === -1 ? '' : text.slice(lineEnd + 1)
  // Two blank lines where one statement stood between them are one too many.
  const head = text.slice(0, lineStart)
  return head + (head.endsWith('\n\n') && rest.startsWith('\n') ? rest.slice(1) : rest)
}
