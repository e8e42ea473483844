import type { Token } from './c-tokens.ts'

/** One operand of `||` and `&&`; indices into the tokens, `last` included. */
export interface Operand {
  readonly first: number
  readonly last: number
  readonly chain: Chain
}

/** Operands with nothing but `||` and `&&` between them, in one pair of parentheses or one expression. */
export interface Chain {
  readonly operands: readonly Operand[]
  /** One fewer than operands. */
  readonly operators: readonly number[]
  /** The `if` or `while` whose whole condition this is. */
  readonly control: number | undefined
}

interface Frame {
  /** Index of the bracket that opened it; -1 for the outermost. */
  readonly open: number
  first: number
  operators: number[]
}

const boundary = new Set(', ; ? : = += -= *= /= %= &= |= ^= <<= >>= return case else do { }'.split(' '))
const conditional = new Set(['if', 'while'])
const controls = new Set(['if', 'while', 'for', 'switch'])

/** All chains of at least two operands, and all conditions of `if` and `while`, inner ones first. */
export function chainsOf(tokens: readonly Token[]): readonly Chain[] {
  const chains: Chain[] = []
  const stack: Frame[] = [{ open: -1, first: 0, operators: [] }]
  const close = (frame: Frame, end: number, whole: boolean): void => {
    const before = tokens[frame.open - 1]?.text ?? ''
    const isCondition = whole && frame.first === frame.open + 1 && conditional.has(before)
    const chain = chainOf(frame, end, isCondition ? frame.open - 1 : undefined)
    if (chain !== undefined) chains.push(chain)
  }
  for (const [at, { text }] of tokens.entries()) {
    const frame = stack.at(-1)
    if (frame === undefined) break
    if (text === '||' || text === '&&') frame.operators.push(at)
    else if (text === '(' || text === '[') stack.push({ open: at, first: at + 1, operators: [] })
    else if (text === ')' || text === ']') {
      close(frame, at, text === ')')
      stack.pop()
      // What was opened ahead of the first line is not known.
      if (stack.length === 0) stack.push({ open: -1, first: at + 1, operators: [] })
      const outer = stack.at(-1)
      if (outer !== undefined && isControl(tokens, frame.open - 1)) {
        outer.first = at + 1
        outer.operators = []
      }
    } else if (boundary.has(text)) {
      close(frame, at, false)
      frame.first = at + 1
      frame.operators = []
    }
  }
  const last = stack.at(-1)
  if (last !== undefined) close(last, tokens.length, false)
  return chains
}

export const isControl = (tokens: readonly Token[], at: number): boolean =>
  controls.has(tokens[at]?.text ?? '')

function chainOf({ first, operators }: Frame, end: number, control: number | undefined): Chain | undefined {
  if (operators.length === 0 && control === undefined) return undefined
  const starts = [first, ...operators.map((at) => at + 1)]
  const ends = [...operators, end]
  const operands: Operand[] = []
  const chain: Chain = { operands, operators, control }
  for (const [at, start] of starts.entries()) {
    const last = (ends[at] ?? end) - 1
    // `&&label` and the like: no operator between two values.
    if (last < start) return undefined
    operands.push({ first: start, last, chain })
  }
  return chain
}
