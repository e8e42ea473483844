import type { Configuration } from './tree/evaluate.ts'
import type { KSymbol } from './tree/model.ts'

/**
 * Symbols that conf would ask about: visible, changeable, and without a line in the .config. OpenWrt from
 * 22.03 on stops its kernel build at the first of them (FAIL_ON_UNCONFIGURED), older ones hang or stop too.
 * @returns names in menu order; a choice by its first visible member
 */
export function unanswered(config: Configuration): readonly string[] {
  return config.tree.symbols.filter((symbol) => isAsked(config, symbol)).map((symbol) => symbol.name)
}

function isAsked(config: Configuration, symbol: KSymbol): boolean {
  if (symbol.kind !== 'symbol' || symbol.name === '' || symbol.prompts.length === 0) return false
  if (hasValue(config, symbol) || !isChangeable(config, symbol)) return false
  const { choice } = symbol
  if (choice === undefined) return true
  const visible = choice.members.filter((member) => config.visibility(member) > 0)
  return visible[0] === symbol && !choice.members.some((member) => hasValue(config, member))
}

const hasValue = ({ user }: Configuration, symbol: KSymbol): boolean =>
  user.tristates.has(symbol.id) || user.texts.has(symbol.id)

/** A symbol that others select as far as it can go is not asked about. */
function isChangeable(config: Configuration, symbol: KSymbol): boolean {
  const forced = symbol.reverseDep === undefined ? 0 : config.expr(symbol.reverseDep)
  return config.visibility(symbol) > forced
}
