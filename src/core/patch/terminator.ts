/** What fills the last entry of a table in C: zeros, nothing, or -1; each may be named (`.name = NULL`). */
const filler = /^(?:(?:\.\w+\s*=\s*)?(?:0x0+|0|-1|~0|NULL|nullptr|""|'\\0')[UL]*)?$/

/**
 * Whether a line is the entry that ends a table: `{ }`, `{ 0 },`, `{ NULL, 0 }`, `{ .name = NULL }`,
 * `{ /* sentinel *\/ }`, or a bare `NULL`.
 */
export function isTerminator(line: string): boolean {
  const code = line
    .replaceAll(/\/\*.*?\*\//g, '')
    .replace(/\/\/.*/, '')
    .trim()
    .replace(/,$/, '')
    .trim()
  if (/^(?:NULL|nullptr|0|-1)$/.test(code)) return true
  if (!code.startsWith('{') || !code.endsWith('}')) return false
  return code.split(/[{},]/).every((part) => filler.test(part.trim()))
}
