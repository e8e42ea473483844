import { usageError } from '../../errors.ts'
import type { Macros } from './macro.ts'

/** A word (keyword, symbol or number), a quoted text, or an operator. */
export interface Token {
  readonly kind: 'word' | 'text' | 'operator'
  readonly text: string
}

/** One logical line: tokens, or an assignment of the macro language. */
export type Statement =
  | { readonly kind: 'tokens'; readonly line: number; readonly tokens: readonly Token[] }
  | {
      readonly kind: 'assign'
      readonly line: number
      readonly name: string
      readonly operator: '=' | ':=' | '+='
      readonly value: string
    }

/** Reads one file statement by statement. */
export interface Lexer {
  readonly file: string
  /** Undefined at the end of the file. */
  readonly next: () => Statement | undefined
  /** After a `help` line: passes over its text. */
  readonly skipHelp: () => void
}

const newline = 0x0a
const assignment = /[ \t]*([\w-]+)[ \t]*(:=|\+=|=)[ \t]*(.*)/y
/** Far above any real Kconfig file (the largest is below 1 MB). */
const maxFileBytes = 16 * 1024 * 1024

/** `/` and `.` occur in the unquoted `source` lines of kernels before 4.18. */
const isWord = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) ||
  (code >= 0x41 && code <= 0x5a) ||
  (code >= 0x2d && code <= 0x39) ||
  code === 0x5f
const endsWord = (code: number): boolean => !isWord(code)

/**
 * @param file name used in messages
 * @throws (from next) usage error with file and line for a character the language does not have
 */
export function createLexer(text: string, file: string, macros: Macros): Lexer {
  assertText(text, file)
  let position = 0
  let line = 1

  function endOfLine(): number {
    const end = text.indexOf('\n', position)
    return end === -1 ? text.length : end
  }

  function next(): Statement | undefined {
    for (;;) {
      if (position >= text.length) return undefined
      const started = line
      assignment.lastIndex = position
      const match = assignment.exec(text)
      if (match?.[1] !== undefined && match[2] !== undefined) {
        position = assignment.lastIndex
        // A value may hold anything, also what looks like a comment.
        const value = (match[3] ?? '').replace(/\r$/, '')
        return { kind: 'assign', line: started, name: match[1], operator: match[2] as ':=', value }
      }
      const tokens = lineTokens()
      if (tokens.length > 0) return { kind: 'tokens', line: started, tokens }
    }
  }

  function lineTokens(): readonly Token[] {
    const tokens: Token[] = []
    while (position < text.length) {
      const code = text.charCodeAt(position)
      if (code === newline) {
        position += 1
        line += 1
        return tokens
      }
      if (code === 0x20 || code === 0x09 || code === 0x0d) position += 1
      else if (code === 0x23) position = endOfLine()
      else if (code === 0x5c && /^\\\r?\n/.test(text.slice(position, position + 3))) {
        position = endOfLine() + 1
        line += 1
      } else if (code === 0x22 || code === 0x27) tokens.push({ kind: 'text', text: quoted(code) })
      else if (code === 0x24 || isWord(code)) word(tokens)
      else tokens.push({ kind: 'operator', text: operator() })
    }
    return tokens
  }

  function word(tokens: Token[]): void {
    const start = position
    while (position < text.length && isWord(text.charCodeAt(position))) position += 1
    if (text.charCodeAt(position) !== 0x24) {
      tokens.push({ kind: 'word', text: text.slice(start, position) })
      return
    }
    const rest = text.slice(start, endOfLine())
    const expanded = macros.expandUntil(rest, 0, endsWord, { file, line })
    position = start + expanded.end
    if (expanded.text !== '') tokens.push({ kind: 'word', text: expanded.text })
  }

  function quoted(quote: number): string {
    position += 1
    const end = endOfLine()
    let out = ''
    while (position < end) {
      const code = text.charCodeAt(position)
      if (code === quote) {
        position += 1
        return out
      }
      if (code === 0x5c) {
        out += text[position + 1] ?? ''
        position += 2
      } else if (code === 0x24 && text[position + 1] === '(') {
        const expanded = macros.expandUntil(text.slice(position, end), 0, () => true, { file, line })
        out += expanded.text
        position += expanded.end
      } else {
        out += text[position]
        position += 1
      }
    }
    throw usageError('E_KCONFIG_TOKEN', `${file}:${line}: the quoted text does not end on its line`)
  }

  function operator(): string {
    const two = text.slice(position, position + 2)
    if (two === '||' || two === '&&' || two === '!=' || two === '<=' || two === '>=') {
      position += 2
      return two
    }
    const one = two[0] ?? ''
    if ('=!<>()'.includes(one)) {
      position += 1
      return one
    }
    const code = one.codePointAt(0) ?? 0
    const shown = code < 0x20 ? `character code ${code}` : `'${one}'`
    throw usageError('E_KCONFIG_TOKEN', `${file}:${line}: unexpected ${shown}`, {
      hint: 'Expressions use symbols, quoted texts, && || ! = != < <= > >= and parentheses.',
    })
  }

  function skipHelp(): void {
    let first = 0
    while (position < text.length) {
      const end = endOfLine()
      let column = 0
      let at = position
      for (; at < end; at += 1) {
        const code = text.charCodeAt(at)
        if (code === 0x09) column = (column & ~7) + 8
        else if (code === 0x20) column += 1
        else break
      }
      const blank = at === end || (at === end - 1 && text.charCodeAt(at) === 0x0d)
      if (!blank) {
        if (column === 0 || column < first) return
        if (first === 0) first = column
      }
      position = end + 1
      line += 1
    }
  }

  return { file, next, skipHelp }
}

function assertText(text: string, file: string): void {
  if (text.length > maxFileBytes)
    throw usageError(
      'E_KCONFIG_TOO_LARGE',
      `${file}: ${Math.round(text.length / 1e6)} MB is too large for a Kconfig file`,
    )
  const nul = text.indexOf('\0')
  if (nul === -1) return
  throw usageError(
    'E_KCONFIG_BINARY',
    `${file}:${text.slice(0, nul).split('\n').length}: binary data in a Kconfig file`,
  )
}
