import type { DotConfig } from '../types.ts'
import { chooseInMenu, chooseInSymbol, type ChoiceState } from './choices.ts'
import type { Expr, KconfigTree, KSymbol, Property, SymbolType, Tristate } from './model.ts'
import { comparable, isValidNumber, leadingNumber } from './numbers.ts'
import { quote, userValues, type UserValues } from './user-values.ts'

/** Every symbol's value for one .config, as the tree's own `conf --olddefconfig` computes it. */
export interface Configuration {
  readonly tree: KconfigTree
  readonly user: UserValues
  readonly state: (symbol: KSymbol) => Tristate
  /** Value as expressions see it: `y`, `m`, `n`, a number, or a text without quotes. */
  readonly text: (symbol: KSymbol) => string
  /** Highest value a visible prompt allows; 0 when none is visible. */
  readonly visibility: (symbol: KSymbol) => Tristate
  readonly expr: (expr: Expr | undefined) => Tristate
  /** Values as a .config has them, `n` only where conf writes `is not set`; in menu order. */
  readonly values: ReadonlyMap<string, string>
}

interface State extends ChoiceState {
  readonly tree: KconfigTree
  readonly user: UserValues
  readonly valid: Uint8Array
  readonly current: Uint8Array
  readonly texts: string[]
  /** Whether conf would write the symbol. */
  readonly written: Uint8Array
  /** Numbers of the .config that are out of their range. */
  readonly ignored: Set<number>
  modulesOn: boolean
}

/** Evaluates every symbol of a tree for the values a .config asks for. */
export function evaluate(tree: KconfigTree, config: Pick<DotConfig, 'values'>): Configuration {
  const count = tree.symbols.length
  const user = userValues(tree, config)
  const state: State = {
    tree,
    user,
    valid: new Uint8Array(count),
    current: new Uint8Array(count),
    texts: Array.from<string>({ length: count }).fill(''),
    written: new Uint8Array(count),
    visible: new Uint8Array(count),
    ignored: new Set(),
    chosen: new Map(),
    modulesOn: false,
    userState: (symbol) => user.tristates.get(symbol.id),
    isTrue: (expr) => exprValue(state, expr) !== 0,
    updateVisibility: (symbol) => updateVisibility(state, symbol),
  }
  for (const symbol of tree.symbols) if (symbol.kind === 'constant') settleConstant(state, symbol)
  if (tree.modules !== undefined) {
    calculate(state, tree.modules)
    state.modulesOn = state.current[tree.modules.id] !== 0
  }
  for (const symbol of tree.symbols) calculate(state, symbol)
  if (tree.choiceModel === 'symbol') resetOutOfRange(state)
  return {
    tree,
    user,
    state: (symbol) => state.current[symbol.id] as Tristate,
    text: (symbol) => valueText(state, symbol),
    visibility: (symbol) => state.visible[symbol.id] as Tristate,
    expr: (expr) => exprValue(state, expr),
    values: writtenValues(state),
  }
}

function settleConstant(state: State, symbol: KSymbol): void {
  state.valid[symbol.id] = 1
  state.texts[symbol.id] = symbol.name
  state.current[symbol.id] = symbol.type === 'tristate' ? 'nmy'.indexOf(symbol.name) : 0
}

function exprValue(state: State, expr: Expr | undefined): Tristate {
  if (expr === undefined) return 2
  switch (expr.kind) {
    case 'symbol':
      calculate(state, expr.symbol)
      return state.current[expr.symbol.id] as Tristate
    case 'and': {
      const left = exprValue(state, expr.left)
      return left === 0 ? 0 : (Math.min(left, exprValue(state, expr.right)) as Tristate)
    }
    case 'or': {
      const left = exprValue(state, expr.left)
      return left === 2 ? 2 : (Math.max(left, exprValue(state, expr.right)) as Tristate)
    }
    case 'not':
      return (2 - exprValue(state, expr.inner)) as Tristate
    case 'compare':
      return compare(state, expr) ? 2 : 0
  }
}

function compare(state: State, expr: Extract<Expr, { kind: 'compare' }>): boolean {
  calculate(state, expr.left)
  calculate(state, expr.right)
  const left = valueText(state, expr.left)
  const right = valueText(state, expr.right)
  const order = compareValues(left, expr.left.type, right, expr.right.type)
  switch (expr.operator) {
    case '=':
      return order === 0
    case '!=':
      return order !== 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
  }
}

function compareValues(left: string, leftType: SymbolType, right: string, rightType: SymbolType): number {
  if (leftType !== 'string' || rightType !== 'string') {
    const a = comparable(left, leftType)
    const b = comparable(right, rightType)
    if (a !== undefined && b !== undefined) return a < b ? -1 : a > b ? 1 : 0
  }
  return left < right ? -1 : left > right ? 1 : 0
}

const valueText = (state: State, symbol: KSymbol): string =>
  symbol.type === 'bool' || symbol.type === 'tristate'
    ? ('nmy'[state.current[symbol.id] ?? 0] ?? 'n')
    : (state.texts[symbol.id] ?? '')

/** A tristate without modules, or as the chosen member of a choice, is a bool. */
function isBoolNow(state: State, symbol: KSymbol): boolean {
  if (symbol.type === 'bool' || !state.modulesOn) return true
  return state.tree.choiceModel === 'symbol' && symbol.choice !== undefined && state.visible[symbol.id] === 2
}

function updateVisibility(state: State, symbol: KSymbol): void {
  if (symbol.transitional) {
    state.visible[symbol.id] = 2
    return
  }
  let visible: Tristate = 0
  for (const prompt of symbol.prompts) {
    let value = exprValue(state, prompt.condition)
    const hidden =
      state.tree.choiceModel === 'symbol' &&
      symbol.choice !== undefined &&
      symbol.type === 'tristate' &&
      value === 1 &&
      state.current[symbol.choice.id] === 2
    if (hidden) value = 0
    if (value > visible) visible = value
    if (visible === 2) break
  }
  if (visible === 1 && (symbol.type !== 'tristate' || !state.modulesOn)) visible = 2
  state.visible[symbol.id] = visible
}

/** Computes one symbol; a symbol met again on the way has its type's empty value, as in conf. */
function calculate(state: State, symbol: KSymbol): void {
  const id = symbol.id
  if (state.valid[id] === 1) return
  state.valid[id] = 1
  state.written[id] = 0
  switch (symbol.type) {
    case 'unknown':
      state.texts[id] = symbol.name
      return
    case 'bool':
    case 'tristate':
      calculateState(state, symbol)
      return
    case 'int':
    case 'hex':
    case 'string':
      calculateText(state, symbol)
  }
}

function calculateState(state: State, symbol: KSymbol): void {
  const id = symbol.id
  updateVisibility(state, symbol)
  if (state.visible[id] !== 0) state.written[id] = 1
  state.current[id] = 0
  if (symbol.choice !== undefined && isChosenByGroup(state, symbol)) {
    const chosen = chosenMember(state, symbol.choice)
    state.current[id] = chosen === symbol && state.visible[id] !== 0 ? 2 : 0
    return
  }
  const reverse = symbol.choice === undefined ? narrow(state, symbol, symbol.reverseDep) : 0
  const user = state.visible[id] === 0 ? undefined : state.user.tristates.get(id)
  let value: number
  if (user !== undefined) value = Math.min(user, state.visible[id] ?? 0)
  else if (symbol.kind === 'choice' && state.visible[id] !== 0) value = userStateOfChoice(state, symbol)
  else {
    if (reverse !== 0) state.written[id] = 1
    value = symbol.kind === 'choice' ? 0 : defaultState(state, symbol)
  }
  if (reverse !== 0 && state.tree.unmetSelects === 'refused' && directState(state, symbol) === 0) value = 0
  else value = Math.max(value, reverse)
  if (value === 1 && isBoolNow(state, symbol)) value = 2
  state.current[id] = value
  if (symbol.kind === 'choice' && value === 2)
    state.chosen.set(id, chooseInSymbol(state, symbol, state.user.choiceOrder))
}

/** In the older model a member that can only be `m` has a value of its own. */
const isChosenByGroup = (state: State, symbol: KSymbol): boolean =>
  state.tree.choiceModel === 'menu' || state.visible[symbol.id] === 2

function chosenMember(state: State, choice: KSymbol): KSymbol | undefined {
  if (state.tree.choiceModel === 'symbol') return state.chosen.get(choice.id)
  // Not remembered: a first answer can come from amid the evaluation of what the choice depends on.
  return chooseInMenu(state, choice, state.user.choiceOrder)
}

/** A choice itself is never in a .config: its highest member stands for it. */
function userStateOfChoice(state: State, choice: KSymbol): Tristate {
  let value: Tristate = 0
  for (const member of choice.members) {
    const user = state.user.tristates.get(member.id) ?? 0
    if (user > value) value = user
  }
  return Math.min(value, state.visible[choice.id] ?? 0) as Tristate
}

/** A condition on a bool is never `m`. */
function narrow(state: State, symbol: KSymbol, expr: Expr | undefined): Tristate {
  if (expr === undefined) return 0
  const value = exprValue(state, expr)
  return value === 1 && isBoolNow(state, symbol) ? 2 : value
}

function defaultState(state: State, symbol: KSymbol): Tristate {
  let value: number = 0
  const line = activeLine(state, symbol.defaults)
  if (line !== undefined) {
    value = Math.min(exprValue(state, line.value), exprValue(state, line.condition))
    if (value !== 0) state.written[symbol.id] = 1
  }
  const implied = narrow(state, symbol, symbol.implied)
  if (implied !== 0) {
    state.written[symbol.id] = 1
    value = Math.min(Math.max(value, implied), directState(state, symbol))
  }
  return value as Tristate
}

function directState(state: State, symbol: KSymbol): Tristate {
  const value = exprValue(state, symbol.directDep)
  return value === 1 && isBoolNow(state, symbol) ? 2 : value
}

const activeLine = (state: State, lines: readonly Property[]): Property | undefined =>
  lines.find((line) => exprValue(state, line.condition) !== 0)

function calculateText(state: State, symbol: KSymbol): void {
  const id = symbol.id
  updateVisibility(state, symbol)
  if (state.visible[id] !== 0) state.written[id] = 1
  const empty =
    state.tree.choiceModel === 'menu' ? { int: '0', hex: '0x0' }[symbol.type as string] : undefined
  let text = empty ?? ''
  state.texts[id] = text
  const user = state.visible[id] === 0 || state.ignored.has(id) ? undefined : state.user.texts.get(id)
  if (user === undefined) {
    const source = activeLine(state, symbol.defaults)?.value
    if (source?.kind === 'symbol') {
      state.written[id] = 1
      calculate(state, source.symbol)
      text = valueText(state, source.symbol)
    }
  } else text = user
  state.texts[id] = text
  const range = activeRange(state, symbol)
  if (range !== undefined) state.texts[id] = clamp(state, symbol, range, text)
}

const activeRange = (state: State, symbol: KSymbol): Property | undefined =>
  symbol.type === 'int' || symbol.type === 'hex' ? activeLine(state, symbol.ranges) : undefined

function clamp(state: State, symbol: KSymbol, range: Property, text: string): string {
  const base = symbol.type === 'hex' ? 16 : 10
  const value = leadingNumber(text, base)
  const { low, high } = range
  if (low === undefined || high === undefined) return text
  if (value < bound(state, low, base)) return valueText(state, low)
  return value <= bound(state, high, base) ? text : valueText(state, high)
}

function bound(state: State, symbol: KSymbol, base: 10 | 16): bigint {
  calculate(state, symbol)
  const own = symbol.type === 'int' ? 10 : symbol.type === 'hex' ? 16 : base
  return leadingNumber(valueText(state, symbol), own)
}

/** Older conf takes the default instead of a number outside its range; newer ones the nearest bound. */
function resetOutOfRange(state: State): void {
  for (const [id, text] of state.user.texts) {
    const symbol = state.tree.symbols[id]
    if (symbol === undefined || symbol.type === 'string' || symbol.choice !== undefined) continue
    const range = activeRange(state, symbol)
    if (range?.low === undefined || range.high === undefined || !isValidNumber(text, symbol.type)) continue
    const base = symbol.type === 'hex' ? 16 : 10
    const value = leadingNumber(text, base)
    if (value >= bound(state, range.low, base) && value <= bound(state, range.high, base)) continue
    state.ignored.add(id)
    state.valid[id] = 0
    calculate(state, symbol)
  }
}

const isHidden = (symbol: KSymbol): boolean => symbol.transitional || symbol.internal

function writtenValues(state: State): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  const visit = (children: KconfigTree['root']['children']): void => {
    for (const node of children) {
      const symbol = node.symbol
      if (symbol?.kind === 'symbol' && state.written[symbol.id] === 1 && !isHidden(symbol)) {
        const text = valueText(state, symbol)
        values.set(symbol.name, symbol.type === 'string' ? quote(text) : text)
      }
      visit(node.children)
    }
  }
  visit(state.tree.root.children)
  return values
}
