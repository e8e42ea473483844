import { binaryString, withoutEol } from '../lines.ts'

/** An equals sign that no encoder leaves. */
const noEscape = /=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n?$)/

/**
 * Decodes quoted-printable (RFC 2045, 6.7). A text with equals signs of its own was decoded before, and only its header
 * was left behind: it stays as it is.
 * @param lines with their line feeds; a line that ends in `=` goes on in the next
 * @returns undefined where some changed lines seem to be encoded, and others can not be
 */
export function decodeQuotedPrintable(lines: readonly string[]): string | undefined {
  if (lines.some((line) => noEscape.test(line))) {
    return lines.some((line) => /^[ +-].*=[0-9A-F]{2}/.test(line)) ? undefined : lines.join('')
  }
  return lines
    .map((line) =>
      line
        .replace(/=[ \t]*\r?\n?$/, '')
        .replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    )
    .join('')
}

const base64Line = /^[A-Za-z0-9+/]+={0,2}$/

/**
 * Decodes base64 (RFC 2045, 6.8). Text that a mailing list put behind the encoded lines is left out.
 * @returns undefined where the text is damaged
 */
export function decodeBase64(lines: readonly string[]): string | undefined {
  let [text, pending] = ['', '']
  let mayEnd = false
  for (const raw of lines) {
    const line = withoutEol(raw).trim()
    if (line === '') {
      mayEnd ||= text !== '' || pending !== ''
      continue
    }
    if (!base64Line.test(line)) {
      if (!mayEnd) return undefined
      break
    }
    pending += line
    mayEnd = line.endsWith('=')
    if (!mayEnd) continue
    if (pending.length % 4 !== 0) return undefined
    text += binaryString(Buffer.from(pending, 'base64'))
    pending = ''
  }
  if (pending.replace(/=+$/, '').length % 4 === 1) return undefined
  return text + binaryString(Buffer.from(pending, 'base64'))
}

/**
 * Undoes format=flowed (RFC 3676, 4.2), as `git mailinfo` does: a line that ends in a blank goes on in the next one, a
 * blank ahead of a line was put there, the signature's rule is a line of its own.
 */
export function unflow(lines: readonly string[], delSp: boolean): readonly string[] {
  const whole: string[] = []
  let open = ''
  for (const raw of lines) {
    const text = withoutEol(raw)
    if (text === '-- ') {
      if (open !== '') whole.push(open)
      open = ''
      whole.push(raw)
      continue
    }
    const line = text.startsWith(' ') ? text.slice(1) : text
    if (line.endsWith(' ')) open += delSp ? line.slice(0, -1) : line
    else {
      whole.push(`${open}${line}${raw.slice(text.length)}`)
      open = ''
    }
  }
  return open === '' ? whole : [...whole, `${open}\n`]
}
