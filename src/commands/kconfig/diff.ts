import { diffConfigs, menusOf, type ChangeGroup } from '../../core/kconfig/diff.ts'
import type { Io } from '../io.ts'
import { readConfigFile } from './files.ts'

/** `fwbuild kconfig diff A B`: what changed from A to B. */
export async function diffCommand(
  a: string,
  b: string,
  options: { readonly json?: boolean },
  io: Io,
): Promise<void> {
  const [from, to] = await Promise.all([readConfigFile(a, io), readConfigFile(b, io)])
  const groups = diffConfigs(from.config, to.config, new Map([...menusOf(from.text), ...menusOf(to.text)]))
  io.stdout(options.json === true ? `${JSON.stringify({ version: 1, groups }, null, 2)}\n` : diffText(groups))
}

function diffText(groups: readonly ChangeGroup[]): string {
  if (groups.length === 0) return 'no difference\n'
  return groups
    .map(({ menu, changes }) => {
      const title = menu.length === 0 ? 'General' : menu.join(' → ')
      const width = Math.max(...changes.map((change) => change.symbol.length))
      const lines = changes.map(
        (change) => `  ${change.symbol.padEnd(width)}  ${change.from} → ${change.to}\n`,
      )
      return `${title}\n${lines.join('')}`
    })
    .join('')
}
