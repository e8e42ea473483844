import type { DotConfig } from '../types.ts'
import type { KconfigTree, KSymbol, Tristate } from './model.ts'
import { isValidNumber } from './numbers.ts'

/** What a .config asks of a tree, by KSymbol.id. */
export interface UserValues {
  readonly tristates: ReadonlyMap<number, Tristate>
  /** Strings without quotes, numbers as written. */
  readonly texts: ReadonlyMap<number, string>
  /** Choice members the file names, the last one first. */
  readonly choiceOrder: readonly KSymbol[]
}

/** Reads values the way conf does: what does not fit a symbol's type is ignored. */
export function userValues(tree: KconfigTree, config: Pick<DotConfig, 'values'>): UserValues {
  const tristates = new Map<number, Tristate>()
  const texts = new Map<number, string>()
  const choiceOrder: KSymbol[] = []
  for (const [name, value] of config.values) {
    const symbol = tree.byName.get(name)
    if (symbol === undefined) continue
    if (symbol.type === 'bool' || symbol.type === 'tristate') {
      const state = tristateOf(value, symbol)
      if (state === undefined) continue
      tristates.set(symbol.id, state)
      if (symbol.choice !== undefined) choiceOrder.push(symbol)
    } else {
      const text = textOf(value, symbol)
      if (text !== undefined) texts.set(symbol.id, text)
    }
  }
  return { tristates, texts, choiceOrder: choiceOrder.reverse() }
}

function tristateOf(value: string, symbol: KSymbol): Tristate | undefined {
  if (value.startsWith('y')) return 2
  if (value.startsWith('n')) return 0
  return value.startsWith('m') && symbol.type === 'tristate' ? 1 : undefined
}

function textOf(value: string, symbol: KSymbol): string | undefined {
  if (symbol.type === 'string') return value.startsWith('"') ? unquote(value) : undefined
  return isValidNumber(value, symbol.type) ? value : undefined
}

/** Text of a quoted .config string. */
export const unquote = (value: string): string => value.replace(/^"|"$/g, '').replaceAll(/\\(.)/g, '$1')

/** A string as a .config writes it. */
export const quote = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`
