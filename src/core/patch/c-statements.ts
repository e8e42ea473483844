import { isControl } from './c-operands.ts'
import type { Token } from './c-tokens.ts'

type Tokens = readonly Token[]

export const openers: ReadonlySet<string> = new Set(['(', '[', '{'])
export const closers: ReadonlySet<string> = new Set([')', ']', '}'])
const word = /^[\w$]/
/** Macros that stand for declarations are written so; for those that stand for loops see `loop`. */
const declarationMacro = /^_*[A-Z][A-Z\d_]*$/
const loop = /for_?each/i

/** Index of the bracket that closes the first one opened at or behind `open`. */
export function closingBracket(tokens: Tokens, open: number): number | undefined {
  let depth = 0
  for (let at = open; at < tokens.length; at++) {
    const text = tokens[at]?.text ?? ''
    if (openers.has(text)) depth++
    else if (closers.has(text) && --depth === 0) return at
  }
  return undefined
}

/** Index of the bracket that opens what is open ahead of `at`; undefined where the tokens do not show it. */
export function enclosingBracket(tokens: Tokens, at: number): number | undefined {
  let depth = 0
  for (let index = at - 1; index >= 0; index--) {
    const text = tokens[index]?.text ?? ''
    if (closers.has(text)) depth++
    else if (openers.has(text) && depth-- === 0) return index
  }
  return undefined
}

/**
 * Index of the last token of the statement, declaration or function that begins at `at`, with the `else`
 * that belongs to it; undefined where it does not end among the tokens.
 */
export function statementEnd(tokens: Tokens, at: number): number | undefined {
  const text = tokens[at]?.text
  if (text === '{') return closingBracket(tokens, at)
  if (text === 'do') return endOfDo(tokens, at)
  if (isControl(tokens, at)) {
    const end = guardedEnd(tokens, at)
    const hasElse = text === 'if' && end !== undefined && tokens[end + 1]?.text === 'else'
    return hasElse ? statementEnd(tokens, end + 2) : end
  }
  const label = labelEnd(tokens, at)
  return label === undefined ? plainEnd(tokens, at) : statementEnd(tokens, label + 1)
}

/** Index of the last token of what the `if` or loop at `control` guards, an `else` not included. */
export function guardedEnd(tokens: Tokens, control: number): number | undefined {
  const close = closingBracket(tokens, control + 1)
  return close === undefined ? undefined : statementEnd(tokens, close + 1)
}

function endOfDo(tokens: Tokens, at: number): number | undefined {
  const body = statementEnd(tokens, at + 1)
  if (body === undefined || tokens[body + 1]?.text !== 'while') return undefined
  const close = closingBracket(tokens, body + 2)
  return close !== undefined && tokens[close + 1]?.text === ';' ? close + 1 : undefined
}

/** Index of the `do` whose `while` stands at `control`; -1 where it has to stand ahead of the tokens. */
export function doOf(tokens: Tokens, control: number): number | undefined {
  const start = tokens.findIndex(({ text }, at) => {
    const body = text === 'do' ? statementEnd(tokens, at + 1) : undefined
    return body !== undefined && body + 1 === control
  })
  if (start !== -1) return start
  const close = closingBracket(tokens, control + 1)
  const isTail = tokens[control - 1]?.text === '}' && close !== undefined && tokens[close + 1]?.text === ';'
  return isTail && enclosingBracket(tokens, control - 1) === undefined ? -1 : undefined
}

/** Index of the colon of the label that begins at `at`; undefined where none does. */
export function labelEnd(tokens: Tokens, at: number): number | undefined {
  const text = tokens[at]?.text ?? ''
  if (text !== 'case') {
    const isLabel = word.test(text) && tokens[at + 1]?.text === ':' && tokens[at + 2]?.text !== ':'
    return isLabel ? at + 1 : undefined
  }
  let questions = 0
  for (let index = at + 1; index < tokens.length; index++) {
    const one = tokens[index]?.text
    if (one === '?') questions++
    else if (one === ':' && questions-- === 0) return index
    else if (one === ';') return undefined
  }
  return undefined
}

/** Whether the colon at `at` ends a label: not one of `? :`, nor of a bit field. */
export function isLabelColon(tokens: Tokens, at: number): boolean {
  let start = at
  while (start > 0 && !/^[;{}]$/.test(tokens[start - 1]?.text ?? '')) start--
  for (;;) {
    const end = labelEnd(tokens, start)
    if (end === undefined || end > at) return false
    if (end === at) return true
    start = end + 1
  }
}

function plainEnd(tokens: Tokens, at: number): number | undefined {
  const close =
    word.test(tokens[at]?.text ?? '') && tokens[at + 1]?.text === '('
      ? closingBracket(tokens, at + 1)
      : undefined
  if (close !== undefined) {
    if (isMacroLine(tokens, at, close)) return close
    // A loop macro, or a function whose head is a macro.
    if (/^(?:\{|[A-Za-z_])/.test(tokens[close + 1]?.text ?? '')) return statementEnd(tokens, close + 1)
  }
  let hasValue = false
  for (let index = at; index < tokens.length; index++) {
    const text = tokens[index]?.text ?? ''
    if (text === ';') return index
    if (closers.has(text)) return undefined
    hasValue ||= text === '=' || text === 'return'
    if (!openers.has(text)) continue
    const end = closingBracket(tokens, index)
    if (end === undefined) return undefined
    const isBody = text === '{' && !hasValue && tokens[index - 1]?.text === ')'
    if (isBody && !/^[;.,[]$/.test(tokens[end + 1]?.text ?? '')) return end
    index = end
  }
  return undefined
}

/** Whether the word at `at` is written as macros are that stand for declarations. */
export function isMacro(tokens: Tokens, at: number): boolean {
  const text = tokens[at]?.text ?? ''
  return declarationMacro.test(text) && !loop.test(text)
}

/** Whether `NAME(…)` from `at` to `close` is a declaration without a semicolon, as macros make it. */
export function isMacroLine(tokens: Tokens, at: number, close: number): boolean {
  const [name, ahead, next] = [tokens[at], tokens[at - 1], tokens[close + 1]]
  if (name === undefined || !isMacro(tokens, at)) return false
  if (ahead?.line === name.line) return false
  if (next === undefined) return true
  // What it guarded, were it a condition, would be indented.
  return next.line > (tokens[close]?.line ?? 0) && next.start <= name.start && /^(?:\}|\w)/.test(next.text)
}

/** Whether the tokens up to `at` end where the body of a condition or loop has to follow. */
export function guardsNext(tokens: Tokens, at: number): boolean {
  const text = tokens[at]?.text
  if (text === 'else' || text === 'do') return true
  if (text !== ')') return false
  const head = (enclosingBracket(tokens, at) ?? 0) - 1
  // `while (…)` that ends a do is followed by a semicolon, never by a line that could go.
  return isControl(tokens, head) || loop.test(tokens[head]?.text ?? '')
}
