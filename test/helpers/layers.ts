import { configLine } from '../../src/core/kconfig/dot-config.ts'
import type { KconfigTree, KSymbol } from '../../src/core/kconfig/tree/model.ts'
import { seededRandom } from './random.ts'

const sharedChoices = 4
const otherSymbols = 6

/**
 * Two fragments that set members of the same choices, and some other symbols, to random values.
 * @returns their texts, lowest layer first
 */
export function randomLayers(tree: KconfigTree, seed: number): readonly [string, string] {
  const random = seededRandom(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const choices = tree.symbols.filter(({ kind, members }) => kind === 'choice' && members.length > 1)
  const others = [...tree.byName.values()].filter(
    ({ choice, prompts, type }) =>
      choice === undefined && prompts.length > 0 && (type === 'bool' || type === 'tristate'),
  )
  const shared = Array.from({ length: 1 + Math.floor(random() * sharedChoices) }, () => pick(choices))
  const value = (symbol: KSymbol): string =>
    symbol.type === 'tristate' && random() < 0.4 ? 'm' : random() < 0.6 ? 'y' : 'n'
  const fragment = (): string => {
    const lines = new Map<string, string>()
    for (const choice of shared) {
      for (let count = 1 + Math.floor(random() * 2); count > 0; count -= 1) {
        const member = pick(choice.members)
        lines.set(member.name, value(member))
      }
    }
    for (let count = Math.floor(random() * otherSymbols); count > 0; count -= 1) {
      const other = pick(others)
      lines.set(other.name, value(other))
    }
    return `${[...lines]
      .map((line) => ({ line, order: random() }))
      .sort((a, b) => a.order - b.order)
      .map(({ line: [name, text] }) => configLine(name, text))
      .join('\n')}\n`
  }
  return [fragment(), fragment()]
}
