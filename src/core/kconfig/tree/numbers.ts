import type { SymbolType } from './model.ts'

/** Whether a text is a valid value of that type, as conf accepts it from a .config. */
export function isValidNumber(text: string, type: SymbolType): boolean {
  if (type === 'int') return /^-?(?:0|[1-9]\d*)$/.test(text)
  if (type === 'hex') return /^(?:0[xX])?[\dA-Fa-f]+$/.test(text)
  return false
}

/** Leading number of a text in that base, as C's strtoll reads it; 0 when there is none. */
export function leadingNumber(text: string, base: 10 | 16): bigint {
  const match = (base === 16 ? /^\s*(-?)(?:0[xX])?([\dA-Fa-f]+)/ : /^\s*(-?)(\d+)/).exec(text)
  if (match?.[2] === undefined) return 0n
  const size = BigInt(base === 16 ? `0x${match[2]}` : match[2])
  return match[1] === '-' ? -size : size
}

/** A value for a comparison: undefined when only the text can be compared. */
export function comparable(text: string, type: SymbolType): bigint | undefined {
  switch (type) {
    case 'bool':
    case 'tristate':
      return text === 'n' ? 0n : text === 'm' ? 1n : text === 'y' ? 2n : -1n
    case 'int':
      return /^\s*[-+]?\d+$/.test(text) ? BigInt(text.trim().replace(/^\+/, '')) : undefined
    case 'hex':
      return /^\s*(?:0[xX])?[\dA-Fa-f]+$/.test(text) ? leadingNumber(text, 16) : undefined
    case 'unknown':
    case 'string':
      return anyBase(text)
  }
}

/** C's strtoll with base 0: `0x` is hexadecimal, a leading 0 octal. */
function anyBase(text: string): bigint | undefined {
  const match = /^\s*([-+]?)(?:0[xX]([\dA-Fa-f]+)|(0[0-7]*)|([1-9]\d*))$/.exec(text)
  if (match === null) return undefined
  const [, sign, hex, octal, decimal] = match
  const size =
    hex === undefined
      ? octal === undefined
        ? BigInt(decimal ?? '0')
        : BigInt(`0o0${octal}`)
      : BigInt(`0x${hex}`)
  return sign === '-' ? -size : size
}
