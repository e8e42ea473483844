import { sameValue } from './dot-config.ts'
import type { DotConfig } from './types.ts'

/** One symbol that two configurations set differently; `n` also where it is absent. */
export interface ConfigChange {
  readonly symbol: string
  readonly from: string
  readonly to: string
}

/** Changes below one menu. */
export interface ChangeGroup {
  /** Menu titles from the outermost in; empty for symbols above all menus or without known menu. */
  readonly menu: readonly string[]
  readonly changes: readonly ConfigChange[]
}

/**
 * Reads from the comments conf writes (`# Title` between bare `#` lines, `# end of Title`) which
 * menu each symbol of a .config belongs to.
 */
export function menusOf(text: string): ReadonlyMap<string, readonly string[]> {
  const lines = text.split('\n')
  const ended = new Set(
    lines.map((line) => /^# end of (.*)$/.exec(line)?.[1]).filter((title) => title !== undefined),
  )
  const menus = new Map<string, readonly string[]>()
  let open: readonly string[] = []
  for (const [index, line] of lines.entries()) {
    const end = /^# end of (.*)$/.exec(line)?.[1]
    if (end !== undefined) {
      const at = open.lastIndexOf(end)
      if (at !== -1) open = open.slice(0, at)
      continue
    }
    const symbol = /^(?:# )?CONFIG_([\w.+-]+)[= ]/.exec(line)?.[1]
    if (symbol !== undefined) {
      menus.set(symbol, open)
      continue
    }
    const title =
      lines[index - 1] === '#' && lines[index + 1] === '#' ? /^# (.+)$/.exec(line)?.[1] : undefined
    // Kernels before 5.5 mark no ends: there the latest title is all that is known.
    if (title !== undefined) open = ended.size === 0 ? [title] : ended.has(title) ? [...open, title] : open
  }
  return menus
}

/**
 * Compares two configurations by meaning.
 * @param menus where symbols belong; groups and symbols come out sorted
 */
export function diffConfigs(
  from: DotConfig,
  to: DotConfig,
  menus: ReadonlyMap<string, readonly string[]>,
): readonly ChangeGroup[] {
  const groups = new Map<string, { menu: readonly string[]; changes: ConfigChange[] }>()
  for (const symbol of [...new Set([...from.values.keys(), ...to.values.keys()])].sort()) {
    const before = from.values.get(symbol)
    const after = to.values.get(symbol)
    if (sameValue(before, after)) continue
    const menu = menus.get(symbol) ?? []
    const key = menu.join('\n')
    const group = groups.get(key) ?? { menu, changes: [] }
    group.changes.push({ symbol, from: before ?? 'n', to: after ?? 'n' })
    groups.set(key, group)
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}
