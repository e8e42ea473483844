import { usageError, type FwbuildError } from '../errors.ts'
import { nearestNames } from './nearest.ts'
import { originText, type Origin } from './types.ts'

/** Real configurations stay below 1 MB; anything above this is the wrong file. */
export const maxConfigBytes = 16 * 1024 * 1024

// OpenWrt names packages in symbols, so these also hold `-`, `.` and `+`.
const setLine = /^CONFIG_([\w.+-]+)=(.*)$/
const unsetLine = /^# CONFIG_([\w.+-]+) is not set$/
const valueForm = /^(?:[ymn]|-?\d+|0[xX][\dA-Fa-f]+|"(?:[^"\\]|\\.)*")$/

/** conf itself writes a number without value, and hex numbers whose default lacks the `0x`. */
const generatedForm = /^(?:|[\dA-Fa-f]+)$/

/** One assignment as a .config or fragment line writes it. */
export interface ConfigLine {
  readonly symbol: string
  readonly value: string
}

/**
 * Reads one line in .config syntax (the format the kernel's Documentation/kbuild/kconfig.rst
 * describes for .config).
 * @param line without its line end
 * @param generated for files that conf wrote: also takes the odd numbers it writes
 * @returns undefined for a blank line or a comment
 * @throws usage error E_CONFIG_LINE with file, line and the likely meaning
 */
export function parseConfigLine(line: string, origin: Origin, generated = false): ConfigLine | undefined {
  const text = line.trimEnd()
  if (text === '') return undefined
  if (text.startsWith('#')) {
    const unset = unsetLine.exec(text)
    if (unset?.[1] !== undefined) return { symbol: unset[1], value: 'n' }
    const almost = /^#\s*CONFIG_(\w+)\s+(?:is\s+)?not\s+set\.?$/i.exec(text)
    if (almost !== null)
      throw badLine(
        origin,
        text,
        `Kconfig takes this as a mere comment; write '# CONFIG_${almost[1]} is not set'.`,
      )
    return undefined
  }
  const set = setLine.exec(text)
  const symbol = set?.[1]
  const value = set?.[2]
  if (symbol === undefined || value === undefined) throw badLine(origin, text, adviceFor(text))
  if (!valueForm.test(value) && !(generated && generatedForm.test(value)))
    throw badLine(origin, text, valueAdvice(symbol, value))
  return { symbol, value }
}

/** Refuses what cannot be a configuration at all: too large, or binary. */
export function assertConfigText(text: string, file: string): void {
  if (text.length > maxConfigBytes)
    throw usageError(
      'E_CONFIG_TOO_LARGE',
      `${file}: ${Math.round(text.length / 1024 / 1024)} MB is too large for a kernel configuration`,
      { hint: 'Real ones are below 1 MB; is this the right file?' },
    )
  const nul = text.indexOf('\0')
  if (nul === -1) return
  const line = text.slice(0, nul).split('\n').length
  throw usageError('E_CONFIG_BINARY', `${file}:${line}: binary data, not a kernel configuration`, {
    hint: 'Expected lines such as CONFIG_VIRTIO_NET=y; a compressed /proc/config.gz must be unpacked first.',
  })
}

function badLine(origin: Origin, text: string, hint: string): FwbuildError {
  const shown = text.length > 80 ? `${text.slice(0, 77)}…` : text
  return usageError('E_CONFIG_LINE', `${originText(origin)}: not a configuration line: ${shown}`, { hint })
}

function adviceFor(text: string): string {
  const spaced = /^\s*(CONFIG_\w+)\s*=\s*(\S.*?)\s*$/.exec(text)
  if (spaced !== null) return `Did you mean '${spaced[1]}=${spaced[2]}' (no blanks around it)?`
  const prefixed = /^([A-Za-z]+)_(\w+)=(\S+)$/.exec(text)
  if (prefixed?.[1] !== undefined && nearestNames(prefixed[1].toUpperCase(), ['CONFIG']).length > 0)
    return `Did you mean 'CONFIG_${prefixed[2]}=${prefixed[3]}'?`
  const bare = /^(\w+)=(\S+)$/.exec(text)
  if (bare !== null) return `Did you mean 'CONFIG_${bare[1]}=${bare[2]}'?`
  const unset = /^(?:CONFIG_)?(\w+)\s+is not set$/.exec(text)
  if (unset !== null) return `Did you mean '# CONFIG_${unset[1]} is not set'?`
  if (/^CONFIG_\w+$/.test(text)) return `Did you mean '${text}=y'?`
  return "A line is 'CONFIG_NAME=value', '# CONFIG_NAME is not set' or a comment that starts with '#'."
}

function valueAdvice(symbol: string, value: string): string {
  if (value === '')
    return `Write '# CONFIG_${symbol} is not set', or CONFIG_${symbol}="" for an empty string.`
  const lower = value.toLowerCase()
  if (['y', 'yes', 'on', 'true'].includes(lower)) return `Did you mean 'CONFIG_${symbol}=y'?`
  if (['m', 'mod', 'module'].includes(lower)) return `Did you mean 'CONFIG_${symbol}=m'?`
  if (['n', 'no', 'off', 'false'].includes(lower)) return `Did you mean '# CONFIG_${symbol} is not set'?`
  if (value.startsWith('"')) return 'The string does not end, or a quote inside it lacks its backslash.'
  return `A value is y, m, n, a decimal or 0x number, or a string in double quotes: CONFIG_${symbol}="${value}"`
}
