import { splitLines } from '../lines.ts'
import { entityOf, type MailEntity, type MailHeader, readHeader } from './header.ts'
import { decodeBase64, decodeQuotedPrintable, unflow } from './transfer-encoding.ts'

/** The text of mails, as patches are read from it. */
export type MailText =
  | { readonly text: string; readonly decoded: boolean; readonly flowed: boolean }
  /** The line ahead of what is refused: its number is 1-based, 0 where it is the first. */
  | { readonly refused: string; readonly line: number }

/** mbox's line ahead of a mail, by what git tells it from other text: the time and the year at its end. */
const isMboxLine = (line = ''): boolean => /^From .*\d:\d\d:\d\d +(?:\S+ +)?\d{2,4}/.test(line.slice(0, 200))

/**
 * Mails (binary string: one, or an mbox of several) with their bodies decoded part by part, as `git mailinfo` does:
 * quoted-printable, base64, attachments, format=flowed. A patch's bytes stay in the charset that they came in. Text
 * that is no mail, and mails that are not encoded, come back as they are. What can not be decoded is refused by name.
 */
export function mailText(text: string): MailText {
  if (!/^content-(?:type|transfer-encoding)[ \t]*:/im.test(text))
    return { text, decoded: false, flowed: false }
  const lines = splitLines(text)
  const first = Math.max(
    lines.findIndex((line) => line.trim() !== ''),
    0,
  )
  const starts = isMboxLine(lines[first]) ? [...lines.keys()].filter((at) => isMboxLine(lines[at])) : [first]
  let [whole, decoded, flowed] = [lines.slice(0, first).join(''), false, false]
  for (const [at, start] of starts.entries()) {
    const mail = decodeMail(lines.slice(start, starts[at + 1]), 0)
    if ('refused' in mail) return { ...mail, line: start + mail.line }
    whole += mail.text
    decoded ||= mail.decoded
    flowed ||= mail.flowed
  }
  return { text: whole, decoded, flowed }
}

/** More parts within parts are an attack or a mistake. */
const maxDepth = 12

function decodeMail(lines: readonly string[], depth: number): MailText {
  const mboxLines = isMboxLine(lines[0]) ? 1 : 0
  const header = readHeader(lines, mboxLines)
  const entity = entityOf(header)
  if (isPlain(entity)) {
    return encodedLater(lines, header.bodyStart) ?? { text: lines.join(''), decoded: false, flowed: false }
  }
  const hasCr = header.fields[0]?.raw.endsWith('\r\n') ?? false
  const clean = hasCr ? lines.map((line) => line.replace(/\r\n$/, '\n')) : lines
  const body = decodeEntity(entity, clean.slice(header.bodyStart), depth)
  if ('refused' in body) return { ...body, line: header.bodyStart + body.line }
  const head = clean.slice(0, mboxLines).join('') + plainHeader(header, body.charset)
  return { text: `${head}\n${body.text}`, decoded: true, flowed: body.flowed }
}

const plainEncodings = ['', '7bit', '8bit', 'binary']

const isPlain = ({ type, encoding, flowed, charset }: MailEntity): boolean =>
  /^text\/(?!html)/.test(type) && plainEncodings.includes(encoding) && !flowed && !wideCharset.test(charset)

/**
 * Mails put one behind the other without mbox's lines: the encoding of the later ones must not be overlooked. Among other
 * fields it is a header; alone, a text that speaks of one.
 */
function encodedLater(lines: readonly string[], from: number): MailText | undefined {
  const isField = (line = ''): boolean => /^[A-Za-z][A-Za-z-]*: /.test(line)
  const at = lines.findIndex(
    (line, at) =>
      at >= from &&
      /^content-transfer-encoding:\s*(?:quoted-printable|base64)\s*$/i.test(line) &&
      (isField(lines[at - 1]) || isField(lines[at + 1])),
  )
  if (at === -1) return undefined
  return {
    refused: 'an encoded mail begins in the midst of a text: give the mails one by one, or as an mbox',
    line: at + 1,
  }
}

/** The header of the mail as it is now: its own fields, but for those that told of an encoding. */
function plainHeader({ fields }: MailHeader, charset: string): string {
  const kept = fields.filter(({ name }) => !name.startsWith('content-') && name !== 'mime-version')
  const type = `Content-Type: text/plain; charset=${charset === '' ? 'UTF-8' : charset}\n`
  const raw = kept.map((field) => field.raw.replaceAll('\r\n', '\n')).join('')
  return `${raw}MIME-Version: 1.0\n${type}Content-Transfer-Encoding: 8bit\n`
}

type Decoded =
  | { readonly text: string; readonly charset: string; readonly flowed: boolean }
  | { readonly refused: string; readonly line: number }

/** Two bytes a character or escapes for most: no bytes that a patch could hold. */
const wideCharset = /^(?:utf-?(?:16|32|7)|ucs|iso-10646-ucs)/

function decodeEntity(entity: MailEntity, body: readonly string[], depth: number): Decoded {
  const { type, encoding, charset } = entity
  const refuse = (refused: string): Decoded => ({ refused, line: 0 })
  if (depth > maxDepth) return refuse('a mail with too many parts within parts')
  if (type === 'multipart/encrypted' || /^application\/(?:x-)?pkcs7-mime$/.test(type)) {
    return refuse('the mail is encrypted or sealed: decrypt it and save its text')
  }
  if (type.startsWith('multipart/')) return decodeParts(entity, body, depth)
  if (type === 'text/html') {
    return refuse('the mail is HTML alone, which damages patches: get it as plain text')
  }
  if (wideCharset.test(charset)) return refuse(`the mail is in the charset ${charset}: save it as UTF-8`)
  const bytes = decodeBody(encoding, body)
  if (typeof bytes !== 'string') return refuse(bytes.refused)
  if (type === 'message/rfc822') {
    const inner = decodeMail(splitLines(bytes), depth + 1)
    return 'refused' in inner
      ? refuse(inner.refused)
      : { text: inner.text, charset: '', flowed: inner.flowed }
  }
  const text = entity.flowed ? unflow(splitLines(bytes), entity.delSp).join('') : bytes
  return { text, charset, flowed: entity.flowed }
}

function decodeBody(encoding: string, body: readonly string[]): string | { readonly refused: string } {
  if (plainEncodings.includes(encoding)) return body.join('')
  if (encoding === 'quoted-printable') {
    return (
      decodeQuotedPrintable(body) ?? {
        refused: 'the mail is quoted-printable in part only: save its decoded text',
      }
    )
  }
  if (encoding !== 'base64') {
    return {
      refused: `the mail is encoded as ${encoding}, which can not be read here: save its decoded text`,
    }
  }
  return decodeBase64(body) ?? { refused: 'the base64 of the mail is damaged: get it anew' }
}

function decodeParts({ boundary, type }: MailEntity, body: readonly string[], depth: number): Decoded {
  if (boundary === undefined || boundary === '') {
    return { refused: 'a mail of several parts that names no boundary', line: 0 }
  }
  const parts = partsOf(body, boundary).map((part) => {
    const header = readHeader(part.lines, 0)
    return { ...part, header, entity: entityOf(header) }
  })
  const texts = parts.filter((part) => mayHoldPatch(part.entity))
  const html = parts.find((part) => part.entity.type === 'text/html')
  if (texts.length === 0 && html !== undefined) texts.push(html)
  if (type === 'multipart/alternative') texts.splice(1)
  let [text, charset, flowed] = ['', '', false]
  for (const { entity, header, lines, start } of texts) {
    const decoded = decodeEntity(entity, lines.slice(header.bodyStart), depth + 1)
    if ('refused' in decoded) return { ...decoded, line: start + header.bodyStart + decoded.line }
    if (!isText(entity) && !looksLikePatch.test(decoded.text)) continue
    text += decoded.text.endsWith('\n') || decoded.text === '' ? decoded.text : `${decoded.text}\n`
    charset ||= decoded.charset
    flowed ||= decoded.flowed
  }
  return { text, charset, flowed }
}

const isText = ({ type }: MailEntity): boolean => /^(?:text|multipart|message)\//.test(type)

/** Pictures, signatures and the like can not; programs call patches by many types, but by their names. */
const mayHoldPatch = ({ type, fileName }: MailEntity): boolean =>
  /^(?:text\/(?!html)|multipart\/|message\/rfc822)/.test(type) ||
  /\.(?:patch|diff|mbox|eml|txt)$/i.test(fileName) ||
  /^application\/(?:octet-stream|mbox|(?:x-)?(?:patch|diff))$/.test(type)

const looksLikePatch = /^(?:diff --git |--- .*\n\+\+\+ |Index: )/m

interface Part {
  readonly lines: readonly string[]
  /** Index of its first line in the body that it is part of. */
  readonly start: number
}

/** The parts between the lines of a boundary (RFC 2046, 5.1.1); the last may lack the closing one. */
function partsOf(body: readonly string[], boundary: string): readonly Part[] {
  const parts: Part[] = []
  let open: number | undefined
  for (let at = 0; at <= body.length; at++) {
    const line = body[at]?.trimEnd()
    const isClose = line === `--${boundary}--`
    if (line !== undefined && line !== `--${boundary}` && !isClose) continue
    if (open !== undefined) parts.push({ lines: body.slice(open, at), start: open })
    open = at + 1
    if (isClose) break
  }
  return parts
}
