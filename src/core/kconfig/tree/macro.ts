import { usageError } from '../../errors.ts'

/** What the macro language may ask of the machine; passed in, so that this code stays pure. */
export interface MacroHost {
  /** Runs a shell command in the tree and returns its standard output. */
  readonly shell: (command: string) => string
  /** An environment variable of the build, e.g. `CC`. */
  readonly env: (name: string) => string | undefined
}

interface Variable {
  value: string
  readonly recursive: boolean
  depth: number
}

/** Where an expansion happens; for messages, $(filename) and $(lineno). */
export interface MacroPlace {
  readonly file: string
  readonly line: number
}

/** Variables and functions of one tree (Documentation/kbuild/kconfig-macro-language.rst). */
export interface Macros {
  readonly assign: (name: string, operator: '=' | ':=' | '+=', value: string, place: MacroPlace) => void
  /** Expands every `$(…)` in a text. */
  readonly expand: (text: string, place: MacroPlace) => string
  /**
   * Expands a text from `start` up to the first character outside of `$(…)` that `isEnd` accepts.
   * @returns the expansion and the index of that character
   */
  readonly expandUntil: (
    text: string,
    start: number,
    isEnd: (code: number) => boolean,
    place: MacroPlace,
  ) => { readonly text: string; readonly end: number }
  readonly messages: readonly string[]
}

const maxDepth = 1000

export function createMacros(host: MacroHost): Macros {
  const variables = new Map<string, Variable>()
  const messages: string[] = []
  const shellResults = new Map<string, string>()

  function expand(text: string, place: MacroPlace, args: readonly string[] = []): string {
    return text.includes('$') ? expandUntil(text, 0, () => false, place, args).text : text
  }

  function expandUntil(
    text: string,
    start: number,
    isEnd: (code: number) => boolean,
    place: MacroPlace,
    args: readonly string[] = [],
  ): { text: string; end: number } {
    let out = ''
    let index = start
    while (index < text.length) {
      const code = text.charCodeAt(index)
      if (code === 0x24 && text[index + 1] === '(') {
        const close = closingParenthesis(text, index + 2, place)
        out += evaluate(text.slice(index + 2, close), place, args)
        index = close + 1
        continue
      }
      if (code !== 0x24 && isEnd(code)) break
      out += text[index]
      index += 1
    }
    return { text: out, end: index }
  }

  /** Evaluates what stands between `$(` and `)`: an argument, a variable, a function or the environment. */
  function evaluate(clause: string, place: MacroPlace, args: readonly string[]): string {
    const position = /^\d+$/.test(clause) ? Number(clause) : 0
    const argument = position > 0 ? args[position - 1] : undefined
    if (argument !== undefined) return argument
    const [head = '', ...rest] = splitArguments(clause)
    const name = expand(head, place, args)
    const values = rest.map((part) => expand(part, place, args))
    const variable = variables.get(name)
    if (variable !== undefined) return callVariable(name, variable, values, place)
    const builtIn = callFunction(name, values, place)
    if (builtIn !== undefined) return builtIn
    return values.length === 0 ? (host.env(name) ?? '') : ''
  }

  function callVariable(
    name: string,
    variable: Variable,
    values: readonly string[],
    place: MacroPlace,
  ): string {
    if (!variable.recursive) return variable.value
    if ((values.length === 0 && variable.depth > 0) || variable.depth > maxDepth)
      throw macroError(place, `variable '${name}' refers to itself`)
    variable.depth += 1
    const result = expand(variable.value, place, values)
    variable.depth -= 1
    return result
  }

  function callFunction(name: string, values: readonly string[], place: MacroPlace): string | undefined {
    const [first = '', second = ''] = values
    switch (name) {
      case 'shell':
        return shell(first)
      case 'error-if':
        if (first === 'y')
          throw usageError('E_KCONFIG_TREE', `${place.file}:${place.line}: the tree says: ${second}`, {
            hint: 'The Kconfig files themselves refuse this machine or environment.',
          })
        return ''
      case 'warning-if':
        if (first === 'y') messages.push(`${place.file}:${place.line}: ${second}`)
        return ''
      case 'info':
        messages.push(`${place.file}:${place.line}: ${first}`)
        return ''
      case 'filename':
        return place.file
      case 'lineno':
        return String(place.line)
      default:
        return undefined
    }
  }

  function shell(command: string): string {
    const known = shellResults.get(command)
    if (known !== undefined) return known
    const result = host.shell(command).replace(/\n+$/, '').replaceAll('\n', ' ')
    shellResults.set(command, result)
    return result
  }

  function assign(name: string, operator: '=' | ':=' | '+=', value: string, place: MacroPlace): void {
    const old = variables.get(name)
    const recursive = operator === '+=' ? (old?.recursive ?? true) : operator === '='
    const text = recursive ? value : expand(value, place)
    const joined = operator === '+=' && old !== undefined ? `${old.value} ${text}` : text
    variables.set(name, { value: joined, recursive, depth: 0 })
  }

  return { assign, expand, expandUntil, messages }
}

function closingParenthesis(text: string, start: number, place: MacroPlace): number {
  let nest = 0
  for (let index = start; index < text.length; index += 1) {
    const char = text[index]
    if (char === '(') nest += 1
    else if (char === ')') {
      if (nest === 0) return index
      nest -= 1
    }
  }
  throw macroError(place, `'$(' without its ')': ${text.slice(start - 2, start + 40)}`)
}

function splitArguments(clause: string): readonly string[] {
  const parts: string[] = []
  let nest = 0
  let from = 0
  for (let index = 0; index < clause.length; index += 1) {
    const char = clause[index]
    if (char === '(') nest += 1
    else if (char === ')') nest -= 1
    else if (char === ',' && nest === 0) {
      parts.push(clause.slice(from, index))
      from = index + 1
    }
  }
  parts.push(clause.slice(from))
  return parts
}

const macroError = (place: MacroPlace, what: string) =>
  usageError('E_KCONFIG_MACRO', `${place.file}:${place.line}: ${what}`)
