import type { ConfigMismatch } from '../../core/kconfig/check.ts'
import { configLine } from '../../core/kconfig/dot-config.ts'
import type { KconfigTree } from '../../core/kconfig/tree/model.ts'
import { explain } from '../../core/kconfig/why/explain.ts'
import { findFix } from '../../core/kconfig/why/fix.ts'
import { explanationText } from '../../core/kconfig/why/text.ts'

const shownLost = 5

/**
 * Says for each dropped kernel symbol why, down to what blocks it, and which lines would make it hold.
 * @param values the configuration it was dropped from
 * @param byOpenwrt symbols that CONFIG_KERNEL_* of OpenWrt's own .config decides
 */
export const explainKernelMismatch =
  (tree: KconfigTree, values: ReadonlyMap<string, string>, byOpenwrt: ReadonlySet<string>) =>
  (mismatch: ConfigMismatch): readonly string[] => {
    // Its own line says so, with the nearest names.
    if (mismatch.status === 'missing') return []
    if (byOpenwrt.has(mismatch.symbol)) {
      return [`OpenWrt’s own CONFIG_KERNEL_${mismatch.symbol} decides it and beats every kernel fragment`]
    }
    const wish = { symbol: mismatch.symbol, value: mismatch.wanted }
    const reason = explanationText(explain(tree, { values }, wish))
      .trimEnd()
      .split('\n')
    return [...reason, ...proposal(tree, values, wish, byOpenwrt)]
  }

function proposal(
  tree: KconfigTree,
  values: ReadonlyMap<string, string>,
  wish: { readonly symbol: string; readonly value: string },
  byOpenwrt: ReadonlySet<string>,
): readonly string[] {
  const fix = findFix(tree, { values }, [wish])
  if (fix === undefined) return ['no lines were found that make it hold']
  const more = fix.lost.length > shownLost ? ', …' : ''
  const cost =
    fix.lost.length === 0
      ? ''
      : ` (turns off ${fix.lost.length}: ${fix.lost.slice(0, shownLost).join(', ')}${more})`
  const decided = [...fix.lines.keys()].filter((symbol) => byOpenwrt.has(symbol))
  return [
    `it holds with these lines${cost}:`,
    ...[...fix.lines].map(([symbol, value]) => `  ${configLine(symbol, value)}`),
    decided.length === 0
      ? '(tried on this tree)'
      : `(tried on this tree; ${decided.join(', ')} must be set as CONFIG_KERNEL_… of OpenWrt, which beats fragments)`,
  ]
}
