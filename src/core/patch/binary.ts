import { createHash } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { splitLines, withoutEol } from './lines.ts'
import type { FilePatch } from './model.ts'
import { spendBytes, type Work } from './work.ts'

/** One block of a `GIT binary patch`: the whole new content, or how to make it from the old. */
interface BinaryBlock {
  readonly kind: 'literal' | 'delta'
  /** Bytes of the inflated data. */
  readonly size: number
  readonly deflated: Buffer
}

export type BinaryResult =
  | { readonly bytes: Buffer; readonly alreadyApplied: boolean }
  | { readonly refused: string }

/** No firmware blob is larger; what claims to be is an attack on memory. */
const maxBytes = 256 * 1024 * 1024

/**
 * Applies the body of a `GIT binary patch` (git's diff-format documentation; base 85 as in RFC 1924, each line
 * led by its length). The blob ids of the header decide whether this is the file that the patch was made for.
 * @param before the file's content, undefined where there is none
 */
export function applyBinary(
  file: FilePatch,
  before: Buffer | undefined,
  reverse: boolean,
  work: Work,
): BinaryResult {
  const body = file.binary ?? ''
  if (!body.startsWith('GIT binary patch')) return { refused: 'the patch does not hold the binary content' }
  const { oldBlob = '', newBlob = '' } = file.git ?? {}
  const id = before === undefined ? undefined : blobId(before)
  if (before !== undefined && id?.startsWith(newBlob) === true && newBlob !== '') {
    return { bytes: before, alreadyApplied: true }
  }
  const isMade = /^0*$/.test(oldBlob)
  if (isMade !== (before === undefined) || (id !== undefined && !id.startsWith(oldBlob))) {
    return { refused: 'the binary file is not the one that the patch was made for' }
  }
  const blocks = readBlocks(body)
  const block = blocks?.[reverse ? 1 : 0]
  if (block === undefined || block.size > maxBytes) return { refused: 'the binary patch is malformed' }
  spendBytes(work, block.size)
  const bytes = contentOf(block, before ?? Buffer.alloc(0), work)
  if (bytes === undefined) return { refused: 'the binary patch is malformed' }
  // A deleted file has no id, and nothing left in it.
  const isNamed = /^0+$/.test(newBlob) ? bytes.length === 0 : blobId(bytes).startsWith(newBlob)
  if (!isNamed) return { refused: 'the binary patch does not give the content that it names' }
  return { bytes, alreadyApplied: false }
}

/** git's name of a content (SHA-1). */
export function blobId(bytes: Buffer): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}

function readBlocks(body: string): BinaryBlock[] | undefined {
  const blocks: { kind: BinaryBlock['kind']; size: number; chunks: Buffer[] }[] = []
  for (const line of splitLines(body).slice(1).map(withoutEol)) {
    const head = /^(literal|delta) (\d+)$/.exec(line)
    if (head !== null) {
      blocks.push({ kind: head[1] as BinaryBlock['kind'], size: Number(head[2]), chunks: [] })
      continue
    }
    if (line === '') continue
    const chunk = decodeLine(line)
    const last = blocks.at(-1)
    if (chunk === undefined || last === undefined) return undefined
    last.chunks.push(chunk)
  }
  return blocks.map(({ kind, size, chunks }) => ({ kind, size, deflated: Buffer.concat(chunks) }))
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~'

/** A–Z lead lines of 1 to 26 bytes, a–z of 27 to 52; five characters make four bytes. */
function decodeLine(line: string): Buffer | undefined {
  const lead = line.charCodeAt(0)
  const length = lead >= 97 ? lead - 97 + 27 : lead - 65 + 1
  if ((line.length - 1) % 5 !== 0 || length < 1 || length > ((line.length - 1) / 5) * 4) return undefined
  const bytes = Buffer.alloc(((line.length - 1) / 5) * 4)
  for (let at = 1; at < line.length; at += 5) {
    let value = 0
    for (let digit = 0; digit < 5; digit++) {
      const part = alphabet.indexOf(line.charAt(at + digit))
      if (part === -1) return undefined
      value = value * 85 + part
    }
    if (value > 0xffffffff) return undefined
    bytes.writeUInt32BE(value, ((at - 1) / 5) * 4)
  }
  return bytes.subarray(0, length)
}

function contentOf(block: BinaryBlock, before: Buffer, work: Work): Buffer | undefined {
  let data: Buffer
  try {
    data = inflateSync(block.deflated, { maxOutputLength: Math.max(block.size, 1) })
  } catch {
    return undefined
  }
  if (data.length !== block.size) return undefined
  if (block.kind === 'literal') return data
  try {
    return applyDelta(data, before, work)
  } catch (error) {
    // The delta ends in the middle of a command.
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** git's pack delta: two sizes, then copies from the old content and insertions (git's pack-format). */
function applyDelta(delta: Buffer, before: Buffer, work: Work): Buffer | undefined {
  let at = 0
  const number = (): number => {
    let [value, shift, byte] = [0, 1, 0x80]
    while ((byte & 0x80) !== 0) {
      byte = delta.readUInt8(at++)
      value += (byte & 0x7f) * shift
      shift *= 128
    }
    return value
  }
  const [oldSize, newSize] = [number(), number()]
  if (oldSize !== before.length || newSize > maxBytes) return undefined
  spendBytes(work, newSize)
  const parts: Buffer[] = []
  let length = 0
  while (at < delta.length && length <= newSize) {
    const command = delta.readUInt8(at++)
    if (command === 0) return undefined
    if ((command & 0x80) === 0) {
      parts.push(delta.subarray(at, at + command))
      at += command
      length += command
      continue
    }
    const field = (bits: readonly number[]): number =>
      bits.reduce(
        (sum, bit, index) => ((command & bit) === 0 ? sum : sum + delta.readUInt8(at++) * 256 ** index),
        0,
      )
    const offset = field([0x01, 0x02, 0x04, 0x08])
    const size = field([0x10, 0x20, 0x40]) || 0x10000
    if (offset + size > before.length) return undefined
    parts.push(before.subarray(offset, offset + size))
    length += size
  }
  return length === newSize ? Buffer.concat(parts) : undefined
}
