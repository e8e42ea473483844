/** Splits a binary string into lines that keep their line feed; the last may lack one. */
export function splitLines(text: string): string[] {
  const lines: string[] = []
  let start = 0
  for (;;) {
    const end = text.indexOf('\n', start)
    if (end === -1) break
    lines.push(text.slice(start, end + 1))
    start = end + 1
  }
  if (start < text.length) lines.push(text.slice(start))
  return lines
}

/** Bytes as a binary string (one character per byte). */
export function binaryString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** The bytes of a binary string. */
export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

/** A line without its line end (LF or CR LF). */
export function withoutEol(line: string): string {
  if (!line.endsWith('\n')) return line
  return line.endsWith('\r\n') ? line.slice(0, -2) : line.slice(0, -1)
}

/** A binary string as text for people: UTF-8 where it is valid, else byte by byte. */
export function displayText(text: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytesOf(text))
  } catch {
    return text
  }
}

/** Longer lines say enough in their first characters. */
const maxShown = 120

/** A line of a patch or file (binary string) for a message: no longer than needed, and nothing in it steers a terminal. */
export function shownLine(line: string): string {
  const text = displayText(withoutEol(line.slice(0, 4 * maxShown))).replaceAll(/\p{Cc}/gu, (char) =>
    char === '\t' ? ' ' : '?',
  )
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text
}
