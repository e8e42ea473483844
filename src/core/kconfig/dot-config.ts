import { assertConfigText, parseConfigLine } from './config-line.ts'
import type { DotConfig } from './types.ts'

/**
 * Reads a whole .config. A symbol assigned twice keeps its last value, as the kernel's reader does.
 * @param file name used in messages
 * @throws usage error with file and line for anything that is no .config line
 */
export function parseDotConfig(text: string, file: string): DotConfig {
  assertConfigText(text, file)
  const values = new Map<string, string>()
  const lines = new Map<string, number>()
  let number = 0
  for (const line of text.split('\n')) {
    number += 1
    const assignment = parseConfigLine(line, { file, line: number }, true)
    if (assignment === undefined) continue
    // A Map keeps the first place of a key, but in a choice the last line counts.
    values.delete(assignment.symbol)
    values.set(assignment.symbol, assignment.value)
    lines.set(assignment.symbol, number)
  }
  return { file, values, lines }
}

/** Writes one .config line, without its line end. */
export const configLine = (symbol: string, value: string): string =>
  value === 'n' ? `# CONFIG_${symbol} is not set` : `CONFIG_${symbol}=${value}`

/** Whether two values mean the same: `0x1F` is `0x1f`, and an absent symbol is `n`. */
export function sameValue(a: string | undefined, b: string | undefined): boolean {
  return canonicalValue(a) === canonicalValue(b)
}

function canonicalValue(value: string | undefined): string {
  if (value === undefined) return 'n'
  return /^0[xX]/.test(value)
    ? `0x${value
        .slice(2)
        .toLowerCase()
        .replace(/^0+(?=.)/, '')}`
    : value
}
