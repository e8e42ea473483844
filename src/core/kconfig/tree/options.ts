import { usageError } from '../../errors.ts'
import { originText } from '../types.ts'
import { isNo, symbolExpr } from './expr.ts'
import type { Expr, KSymbol, MenuNode, Property, SymbolType } from './model.ts'
import type { SymbolTable } from './symbol-table.ts'
import type { TokenReader } from './token-reader.ts'

/** What option lines change outside of their entry. */
export interface OptionContext {
  readonly symbols: SymbolTable
  readonly env: (name: string) => string | undefined
  /** The symbol that says whether there are modules. */
  modules: KSymbol | undefined
  /** Values of `option env` symbols. */
  readonly envSymbols: Map<string, string>
}

const typeWords: Readonly<Record<string, SymbolType>> = {
  bool: 'bool',
  boolean: 'bool',
  tristate: 'tristate',
  int: 'int',
  hex: 'hex',
  string: 'string',
}
const defaultTypes: Readonly<Record<string, SymbolType>> = {
  def_bool: 'bool',
  def_boolean: 'bool',
  def_tristate: 'tristate',
}

/**
 * Reads one line below an entry.
 * @returns false when the keyword is no option
 */
export function readOption(
  keyword: string,
  node: MenuNode,
  tokens: TokenReader,
  context: OptionContext,
): boolean {
  const known =
    dependency(keyword, node, tokens, context) ||
    property(keyword, node, tokens, context) ||
    special(keyword, node, tokens, context)
  if (known) tokens.end()
  return known
}

function dependency(keyword: string, node: MenuNode, tokens: TokenReader, context: OptionContext): boolean {
  if (keyword === 'depends') {
    tokens.accept('on')
    const expr = tokens.expr()
    const condition = tokens.optionalIf()
    node.depends.push({
      expr: condition === undefined ? expr : unless(expr, condition, context.symbols),
      origin: tokens.origin,
    })
    return true
  }
  if (keyword !== 'visible' || node.kind !== 'menu') return false
  const condition = tokens.optionalIf()
  if (condition !== undefined) node.visibleIf.push({ expr: condition, origin: tokens.origin })
  return true
}

/** `depends on A if B` (newest kernels) means `A || (B is n)`. */
const unless = (expr: Expr, condition: Expr, symbols: SymbolTable): Expr => ({
  kind: 'or',
  left: expr,
  right: isNo(condition, symbols.constant('n')),
})

function property(keyword: string, node: MenuNode, tokens: TokenReader, context: OptionContext): boolean {
  const symbol = node.symbol
  if (symbol === undefined) return false
  const type = typeWords[keyword]
  if (type !== undefined) {
    setType(symbol, type)
    const text = tokens.optionalText()
    if (text !== undefined) addPrompt(node, symbol, text, tokens)
    return true
  }
  const defaultType = defaultTypes[keyword]
  if (keyword === 'default' || defaultType !== undefined) {
    if (defaultType !== undefined) setType(symbol, defaultType)
    const value = withEnvironment(tokens.expr(), context)
    symbol.defaults.push(newProperty('default', node, tokens, { value, ownCondition: tokens.optionalIf() }))
    return true
  }
  switch (keyword) {
    case 'prompt':
      addPrompt(node, symbol, tokens.text('a prompt in quotes'), tokens)
      return true
    case 'select':
    case 'imply': {
      const value = symbolExpr(tokens.symbol())
      const line = newProperty(keyword, node, tokens, { value, ownCondition: tokens.optionalIf() })
      ;(keyword === 'select' ? symbol.selects : symbol.implies).push(line)
      return true
    }
    case 'range': {
      const low = tokens.symbol()
      const high = tokens.symbol()
      symbol.ranges.push(newProperty('range', node, tokens, { low, high, ownCondition: tokens.optionalIf() }))
      return true
    }
    default:
      return false
  }
}

function special(keyword: string, node: MenuNode, tokens: TokenReader, context: OptionContext): boolean {
  const symbol = node.symbol
  if (symbol === undefined) return false
  if (keyword === 'modules') {
    context.modules = symbol
    return true
  }
  if (keyword === 'transitional') {
    symbol.transitional = true
    return true
  }
  if (keyword === 'optional' && symbol.kind === 'choice') {
    symbol.optional = true
    return true
  }
  // OpenWrt's dialect: forgets a choice's value when the condition changes; nothing to evaluate.
  if (keyword === 'reset' && symbol.kind === 'choice') {
    tokens.optionalIf()
    return true
  }
  if (keyword !== 'option') return false
  const name = tokens.word('an option')
  const value = tokens.accept('=') ? tokens.text('a value in quotes') : undefined
  if (name === 'env' || name === 'defconfig_list') symbol.internal = true
  if (name === 'modules') context.modules = symbol
  else if (name === 'env' && value !== undefined) readEnvironment(node, symbol, value, tokens, context)
  else if (name !== 'defconfig_list' && name !== 'allnoconfig_y')
    throw usageError('E_KCONFIG_TOKEN', `${originText(tokens.origin)}: unknown option '${name}'`)
  return true
}

/** `option env="NAME"`: the symbol's value is that environment variable (kernels before 4.18). */
function readEnvironment(
  node: MenuNode,
  symbol: KSymbol,
  name: string,
  tokens: TokenReader,
  context: OptionContext,
): void {
  const value = context.env(name)
  if (value === undefined) return
  context.envSymbols.set(symbol.name, value)
  const constant = symbolExpr(context.symbols.constant(value))
  symbol.defaults.push(newProperty('default', node, tokens, { value: constant }))
}

/** Before 4.18, `$NAME` in a text stood for a symbol with `option env`. */
export const expandEnvSymbols = (text: string, context: Pick<OptionContext, 'envSymbols'>): string =>
  context.envSymbols.size === 0
    ? text
    : text.replaceAll(/\$(\w+)/g, (whole, name: string) => context.envSymbols.get(name) ?? whole)

function withEnvironment(value: Expr, context: OptionContext): Expr {
  if (value.kind !== 'symbol' || value.symbol.kind !== 'constant') return value
  const text = expandEnvSymbols(value.symbol.name, context)
  return text === value.symbol.name ? value : symbolExpr(context.symbols.constant(text))
}

function setType(symbol: KSymbol, type: SymbolType): void {
  // A second definition with another type is ignored, as conf does with a warning.
  if (symbol.type === 'unknown') symbol.type = type
}

function addPrompt(node: MenuNode, symbol: KSymbol, text: string, tokens: TokenReader): void {
  node.prompt = text
  symbol.prompts.push(newProperty('prompt', node, tokens, { text, ownCondition: tokens.optionalIf() }))
}

function newProperty(
  kind: Property['kind'],
  node: MenuNode,
  tokens: TokenReader,
  parts: {
    text?: string
    value?: Expr
    low?: KSymbol
    high?: KSymbol
    ownCondition?: Expr | undefined
  },
): Property {
  return {
    kind,
    node,
    origin: tokens.origin,
    text: parts.text ?? '',
    value: parts.value,
    low: parts.low,
    high: parts.high,
    ownCondition: parts.ownCondition,
    condition: undefined,
  }
}
