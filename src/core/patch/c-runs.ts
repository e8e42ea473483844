import {
  closers,
  closingBracket,
  enclosingBracket,
  guardsNext,
  isLabelColon,
  isMacro,
  isMacroLine,
  labelEnd,
  openers,
  statementEnd,
} from './c-statements.ts'
import type { Token } from './c-tokens.ts'

type Tokens = readonly Token[]

/** Consecutive tokens that go; indices into all tokens, `last` included. */
export interface Run {
  readonly first: number
  readonly last: number
}

/** The tokens that stand on such lines, in runs. */
export function runsOn(tokens: Tokens, isOn: (line: number) => boolean): readonly Run[] {
  const runs: Run[] = []
  for (const [at, { line }] of tokens.entries()) {
    if (!isOn(line)) continue
    const before = runs.at(-1)
    if (before?.last === at - 1) runs[runs.length - 1] = { first: before.first, last: at }
    else runs.push({ first: at, last: at })
  }
  return runs
}

/**
 * Why C code is not sound without a run of its tokens; undefined where it is. What can go are whole
 * statements, entries of a list in braces with their comma, operands with the operator that joins them to a
 * like one, and strings beside strings.
 */
export function problemWithout(tokens: Tokens, run: Run): string | undefined {
  const { first, last } = run
  if (!isBalanced(tokens, run)) return 'the blocks or lists on its two sides would become one'
  const isInside = isPart(tokens, run)
  const bracket = bracketAround(tokens, run)
  if (isInside || (bracket === '{' && isEntry(tokens, run))) return undefined
  if (guardsNext(tokens, first - 1)) return 'the condition or loop ahead of it would guard the next statement'
  if (bracket !== '{') {
    return 'an argument or another part of what stands in brackets would go, and the next take its place'
  }
  if (!isStart(tokens, first)) return 'what stands ahead of it would go on in what follows it'
  return problemOfStatements(tokens, first, last)
}

function isBalanced(tokens: Tokens, { first, last }: Run): boolean {
  let depth = 0
  for (const { text } of tokens.slice(first, last + 1)) {
    if (openers.has(text)) depth++
    else if (closers.has(text) && --depth < 0) return false
  }
  return depth === 0
}

/** The kind of bracket around a run; where none is shown, that of a file or a block. */
function bracketAround(tokens: Tokens, { first, last }: Run): string {
  const open = enclosingBracket(tokens, first)
  if (open !== undefined) return tokens[open]?.text ?? ''
  let depth = 0
  for (const { text } of tokens.slice(last + 1)) {
    if (openers.has(text)) depth++
    else if (closers.has(text) && depth-- === 0) return text === '}' ? '{' : text
  }
  return '{'
}

/** Texts of a run outside of its own brackets. */
function outerTexts(tokens: Tokens, { first, last }: Run): readonly string[] {
  let depth = 0
  return tokens.slice(first, last + 1).flatMap(({ text }) => {
    if (closers.has(text)) depth--
    const isOuter = depth === 0
    if (openers.has(text)) depth++
    return isOuter ? [text] : []
  })
}

const operators = new Set('| & ^ + - * / % << >> || &&'.split(' '))
/** Those whose first operand can go without a change of sign or the like. */
const leading = new Set('| & ^ + || &&'.split(' '))
const ends = new Set('; , ) ] }'.split(' '))
const expressionHeads = new Set('= : ? ( , return'.split(' '))
const assignment = /^(?:=|[-+*/%&|^]=)$/
/** Words behind which an operand begins, not an operator. */
const keywords = new Set('return case else do goto sizeof throw'.split(' '))

const count = (texts: readonly string[], wanted: string): number =>
  texts.filter((text) => text === wanted).length

/** Whether the run is a part of an expression that is one without it. */
function isPart(tokens: Tokens, run: Run): boolean {
  const [ahead, next] = [tokens[run.first - 1]?.text ?? '', tokens[run.last + 1]?.text ?? '']
  const texts = outerTexts(tokens, run)
  const [head, tail] = [texts[0] ?? '', texts.at(-1) ?? '']
  if (texts.every((text) => text.startsWith('"'))) return ahead.startsWith('"') || next.startsWith('"')
  if (texts.some((text) => text === ';' || text === ',' || assignment.test(text))) return false
  // `condition ? value :` of a chain of them.
  if (tail === ':') {
    const isLabel = ahead === ':' && isLabelColon(tokens, run.first - 1)
    return !isLabel && expressionHeads.has(ahead) && count(texts, '?') === 1 && count(texts, ':') === 1
  }
  if (texts.includes('?') || texts.includes(':')) return false
  if (operators.has(tail)) {
    const isFirst = leading.has(tail) && expressionHeads.has(ahead) && !namesType(texts)
    return ahead === tail || isFirst
  }
  return operators.has(head) && isValueEnd(tokens, run.first - 1) && (next === head || ends.has(next))
}

/** Whether a value ends at `at`, so that an operator that follows joins it with another. */
function isValueEnd(tokens: Tokens, at: number): boolean {
  const text = tokens[at]?.text ?? ''
  if (text === ']') return true
  const open = text === ')' ? enclosingBracket(tokens, at) : undefined
  const name = open === undefined ? text : (tokens[open - 1]?.text ?? '')
  return /^[\w$"']/.test(name) && !keywords.has(name) && !guardsNext(tokens, at)
}

/** Whether the run is entries of a list in braces, or names of one declaration, each with its comma. */
function isEntry(tokens: Tokens, run: Run): boolean {
  const [ahead, next] = [tokens[run.first - 1]?.text, tokens[run.last + 1]?.text ?? '']
  const texts = outerTexts(tokens, run)
  if (texts.includes(';')) return false
  if (texts[0] === ',') return next === ',' || next === '}' || next === ';'
  if (ahead === ',') return texts.at(-1) === ',' || next === '}'
  if (ahead !== '{' && ahead !== undefined) return false
  // `int a,` begins a declaration that goes on.
  if (namesType(texts)) return false
  const isEmptied = ahead === '{' && next === '}'
  return isEmptied ? !isEnum(tokens, run.first - 1) : texts.at(-1) === ',' || next === '}'
}

/** Two words in a row are no expression. */
const namesType = (texts: readonly string[]): boolean =>
  texts.some((text, at) => /^\w/.test(text) && /^\w/.test(texts[at + 1] ?? ''))

/** An enum without names is an error, an initializer without values is not. */
const isEnum = (tokens: Tokens, open: number): boolean =>
  tokens.slice(Math.max(open - 2, 0), open).some(({ text }) => text === 'enum')

/** Whether a statement or declaration may begin at `first`. */
function isStart(tokens: Tokens, first: number): boolean {
  const at = first - 1
  const text = tokens[at]?.text
  if (text === undefined || text === '{' || text === ';') return true
  if (text === '}') return !isAggregate(tokens, at)
  if (text === ':') return isLabelColon(tokens, at)
  const open = text === ')' ? enclosingBracket(tokens, at) : undefined
  if (open === undefined) return false
  // `{ NAME(…)` of an entry in which macros stand for fields.
  const close = isMacro(tokens, open - 1) ? closingBracket(tokens, first) : undefined
  return isMacroLine(tokens, open - 1, at) || (close !== undefined && isMacroLine(tokens, first, close))
}

/** Whether the brace at `close` ends an initializer or the body of a type, behind which a declaration goes on. */
function isAggregate(tokens: Tokens, close: number): boolean {
  const open = enclosingBracket(tokens, close)
  if (open === undefined) return false
  const [before, ahead] = [tokens[open - 2]?.text ?? '', tokens[open - 1]?.text ?? '']
  return ahead === '=' || [before, ahead].some((text) => /^(?:struct|union|enum|class)$/.test(text))
}

function problemOfStatements(tokens: Tokens, first: number, last: number): string | undefined {
  let at = first
  let label: number | undefined
  while (at <= last) {
    const start = at === first && tokens[at]?.text === 'else' ? at + 1 : at
    const colon = labelEnd(tokens, start)
    label = colon === undefined ? undefined : start
    const end = colon ?? statementEnd(tokens, start)
    if (end === undefined || end > last) return 'the body or the rest of what begins there would stay'
    at = end + 1
  }
  const isCase = label !== undefined && /^(?:case|default)$/.test(tokens[label]?.text ?? '')
  const isShared =
    tokens[first - 1]?.text === ':' || /^(?:case|default|\})$/.test(tokens[last + 1]?.text ?? '')
  return isCase && !isShared ? 'the code of that case would stay' : undefined
}
