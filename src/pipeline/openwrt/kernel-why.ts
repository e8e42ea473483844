import type { ConfigMismatch } from '../../core/kconfig/check.ts'
import { configLine } from '../../core/kconfig/dot-config.ts'
import type { KconfigTree } from '../../core/kconfig/tree/model.ts'
import { findFix } from '../../core/kconfig/why/fix.ts'

/** Says for each dropped kernel symbol why, and which lines would make it hold. */
export const explainKernelMismatch =
  (tree: KconfigTree, values: ReadonlyMap<string, string>) =>
  (mismatch: ConfigMismatch): readonly string[] => {
    const fix = findFix(tree, { values }, [{ symbol: mismatch.symbol, value: mismatch.wanted }])
    if (fix === undefined) return ['no lines were found that make it hold on this architecture']
    return ['it holds with:', ...[...fix.lines].map(([symbol, value]) => `  ${configLine(symbol, value)}`)]
  }
