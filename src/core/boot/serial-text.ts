/** What a state machine needs to keep of a serial line. */
export interface SerialText {
  /** The unfinished last line. */
  readonly partial: string
  /** Text since it was last cleared, without control sequences; only the end of it. */
  readonly recent: string
  /** The last line that was not empty. */
  readonly lastLine: string
}

export const emptySerialText: SerialText = { partial: '', recent: '', lastLine: '' }

const recentChars = 256 * 1024
/** A line without end is searched and kept only so far back. */
const partialChars = 8 * 1024
/** CSI sequences of ECMA-48, which firmware and GRUB use a lot; and lone ESC sequences. */
// oxlint-disable-next-line no-control-regex
const controlSequence = /\u001B(?:\[[0-9;?=]*[A-Za-z]|[()#][0-9A-Za-z]|[=>78cDEHM])/g

/**
 * Adds output to what is kept.
 * @returns also the lines that were finished or continued by it, for a search
 */
export function addSerial(
  before: SerialText,
  text: string,
): { readonly serial: SerialText; readonly lines: readonly string[] } {
  const joined = before.partial + text
  // A control sequence may be cut at the end of a chunk: it stays in `partial` until it is whole.
  const lines = joined.split('\n').map(cleaned)
  const partial = joined.slice(joined.lastIndexOf('\n') + 1).slice(-partialChars)
  const nonEmpty = lines.filter((line) => line.trim() !== '')
  const finished = before.recent.slice(0, Math.max(0, before.recent.length - cleaned(before.partial).length))
  const recent = finished + lines.join('\n')
  return {
    serial: {
      partial,
      recent: recent.length > recentChars ? recent.slice(recent.length - recentChars) : recent,
      lastLine: nonEmpty.at(-1)?.trim() ?? before.lastLine,
    },
    lines,
  }
}

const cleaned = (line: string): string => line.replaceAll(controlSequence, '').replaceAll('\r', '')
