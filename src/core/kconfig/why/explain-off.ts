import type { Configuration } from '../tree/evaluate.ts'
import type { KSymbol, Property } from '../tree/model.ts'
import { conclude, shownTerm, type Context, type Explanation } from './explanation.ts'
import { selectTerms } from './terms.ts'

const shownSelectors = 6

/** Why a symbol is on although `n` was wanted. */
export function explainOff(context: Context, symbol: KSymbol): Explanation {
  const { config, reach } = context
  if (reach.isAlwaysOn(symbol))
    return conclude(context, symbol, 'n', 'impossible', 'every configuration of this tree has it on')
  const active = symbol.selectedBy.filter((line) => selectorState(config, line) > 0)
  if (active.length > 0) {
    const names = active.map((line) => line.node.symbol).filter((selector) => selector !== undefined)
    const shown = names
      .slice(0, shownSelectors)
      .map((selector) => `${selector.name}=${config.text(selector)}`)
    const more = names.length > shownSelectors ? ` and ${names.length - shownSelectors} more` : ''
    const terms = active.slice(0, shownSelectors).flatMap((line) =>
      selectTerms(line)
        .slice(0, 1)
        .map((term) => shownTerm(context, term, [])),
    )
    return conclude(context, symbol, 'n', 'selected', `selected by ${shown.join(', ')}${more}`, terms)
  }
  if (symbol.choice !== undefined)
    return conclude(
      context,
      symbol,
      'n',
      'set',
      `it is the chosen one of its choice; set one of ${otherMembers(symbol)} instead`,
    )
  if (config.visibility(symbol) > 0)
    return conclude(context, symbol, 'n', 'set', `set # CONFIG_${symbol.name} is not set`)
  const line = symbol.defaults.find((candidate) => config.expr(candidate.condition) > 0)
  const terms = line === undefined ? [] : selectTerms(line).map((term) => shownTerm(context, term, []))
  return conclude(context, symbol, 'n', 'defaulted', 'it has no visible prompt, so its default holds', terms)
}

const otherMembers = (symbol: KSymbol): string =>
  (symbol.choice?.members ?? [])
    .filter((member) => member !== symbol)
    .map((member) => member.name)
    .join(', ')

const selectorState = (config: Configuration, line: Property): number =>
  line.node.symbol === undefined ? 0 : Math.min(config.state(line.node.symbol), config.expr(line.condition))
