import { withoutEol } from '../lines.ts'

/** The header block of a mail or of one of its parts; lines keep their line feeds. */
export interface MailHeader {
  readonly fields: readonly HeaderField[]
  /** Index of the first line of the body. */
  readonly bodyStart: number
}

interface HeaderField {
  /** Lower case. */
  readonly name: string
  /** Unfolded, without line ends. */
  readonly value: string
  readonly raw: string
}

/** A field's name and colon (RFC 5322, 2.2), as git tells a header from a body. */
const fieldStart = /^([!-9;-~]+):(.*)/s

/** Reads the header block that begins at `lines[at]`, up to the blank line or the first one that is no field (RFC 5322). */
export function readHeader(lines: readonly string[], at: number): MailHeader {
  const fields: HeaderField[] = []
  let next = at
  for (; next < lines.length; next++) {
    const line = lines[next] ?? ''
    const last = fields.at(-1)
    if (last !== undefined && /^[ \t]+\S/.test(line)) {
      fields[fields.length - 1] = { ...last, value: `${last.value} ${line.trim()}`, raw: last.raw + line }
      continue
    }
    const match = fieldStart.exec(line)
    if (match === null) break
    fields.push({ name: (match[1] ?? '').toLowerCase(), value: (match[2] ?? '').trim(), raw: line })
  }
  return { fields, bodyStart: withoutEol(lines[next] ?? 'x') === '' ? next + 1 : next }
}

/** What a part's header says of its body (RFC 2045, 2183). */
export interface MailEntity {
  /** `text/plain` unless given; lower case. */
  readonly type: string
  readonly charset: string
  readonly encoding: string
  readonly boundary: string | undefined
  /** RFC 3676: lines that end in a blank go on in the next one. */
  readonly flowed: boolean
  /** RFC 3676: the blank that marks such a line is not its own. */
  readonly delSp: boolean
  readonly fileName: string
}

export function entityOf({ fields }: MailHeader): MailEntity {
  const value = (name: string): string => fields.findLast((field) => field.name === name)?.value ?? ''
  const type = value('content-type')
  const media = /^\s*([\w.+-]+\/[\w.+-]+)/.exec(type)?.[1]?.toLowerCase() ?? 'text/plain'
  return {
    type: media,
    charset: parameter(type, 'charset')?.toLowerCase() ?? '',
    encoding: /^[^\s;(]*/.exec(value('content-transfer-encoding'))?.[0]?.toLowerCase() ?? '',
    boundary: parameter(type, 'boundary'),
    flowed: parameter(type, 'format')?.toLowerCase() === 'flowed',
    delSp: parameter(type, 'delsp')?.toLowerCase() === 'yes',
    fileName: parameter(value('content-disposition'), 'filename') ?? parameter(type, 'name') ?? '',
  }
}

/** A parameter of a structured field, quoted or not (RFC 2045, 5.1; RFC 2231 for a name in another charset). */
function parameter(field: string, name: string): string | undefined {
  const match = new RegExp(
    String.raw`;\s*${name}\*?\d*\*?\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))`,
    'i',
  ).exec(field)
  return match?.[1]?.replaceAll(/\\(.)/g, '$1') ?? match?.[2]
}
