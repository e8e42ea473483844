import { headOfComment, leadingCommentLines } from './c-comments.ts'

export interface Token {
  readonly text: string
  /** 0-based index of its line; start and end are offsets in that line, end exclusive. */
  readonly line: number
  readonly start: number
  readonly end: number
}

const lexeme =
  /(?<comment>\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$(?![\s\S])))|(?<token>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[\w$]+|\|\||&&|->|\+\+|--|<<=?|>>=?|[-+*/%&|^=!<>]=|[^\s\w$])|\n|[^\S\n]+/gy

/**
 * The tokens of some lines of C (without line ends), comments and preprocessor lines left out. Lexical
 * rules: ISO C, 6.4; strings do not span lines.
 */
export function cTokens(lines: readonly string[]): readonly Token[] {
  const hidden = hiddenLines(lines)
  const text = lines.map((line, at) => (hidden.has(at) ? '' : line.replace(/\\$/, ' '))).join('\n')
  const tokens: Token[] = []
  let line = 0
  let lineStart = 0
  for (const match of text.matchAll(lexeme)) {
    const word = match.groups?.['token']
    if (word !== undefined) {
      const start = match.index - lineStart
      tokens.push({ text: word, line, start, end: start + word.length })
      continue
    }
    for (let at = match[0].indexOf('\n'); at !== -1; at = match[0].indexOf('\n', at + 1)) {
      line++
      lineStart = match.index + at + 1
    }
  }
  return tokens
}

/** Lines that hold no code of their own: directives with their continuations, and the rest of a comment. */
function hiddenLines(lines: readonly string[]): ReadonlySet<number> {
  const hidden = new Set<number>()
  const head = headOfComment(lines)
  const end = head === undefined ? leadingCommentLines(lines) : head + 1
  for (let at = 0; at < end; at++) hidden.add(at)
  for (const [at, line] of lines.entries()) {
    const continues = hidden.has(at - 1) && lines[at - 1]?.endsWith('\\') === true
    if (/^\s*#/.test(line) || continues) hidden.add(at)
  }
  return hidden
}

const partners: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{', '#endif': '#if' }
const openers = new Set(Object.values(partners))

/** What stays of all brackets (and `#if`s) when those that match are struck out; '' for balanced code. */
export function unmatchedBrackets(lines: readonly string[]): string {
  const directives = lines.flatMap((line, at) => {
    const name = /^\s*#\s*(if|endif)/.exec(line)?.[1]
    return name === undefined ? [] : [{ line: at, text: `#${name}` }]
  })
  const left: string[] = []
  for (const { text } of [...directives, ...cTokens(lines)].sort((a, b) => a.line - b.line)) {
    const partner = partners[text]
    if (openers.has(text)) left.push(text)
    else if (partner !== undefined && left.at(-1) === partner) left.pop()
    else if (partner !== undefined) left.push(text)
  }
  return left.join(' ')
}
