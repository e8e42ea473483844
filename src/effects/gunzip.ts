import { createReadStream } from 'node:fs'
import { open, truncate, type FileHandle } from 'node:fs/promises'
import { crc32, createInflateRaw } from 'node:zlib'
import { buildError, cancelledError, infraError, messageOf } from '../core/errors.ts'
import { replaceFile } from './files.ts'

const chunkBytes = 256 * 1024
const zeros = Buffer.alloc(chunkBytes)

/**
 * Unpacks the first member of a gzip file (RFC 1952) and ignores what follows it: OpenWrt appends
 * its image metadata there. Runs of zeros become holes in the output.
 * @param options.cutTo maps the unpacked size to the size to keep, e.g. `wholeSectorBytes`
 * @param options.maxBytes of the unpacked file: a gzip file may unpack to a thousand times its size
 * @returns size of the output in bytes
 * @throws build E_FILE_TOO_LARGE; infra E_GZIP_CORRUPT when the file is no gzip file, ends early or fails its checksum;
 *   the output then does not exist. Errors of replaceFile; cancelled.
 */
export async function gunzipFile(
  from: string,
  to: string,
  options: {
    readonly maxBytes: number
    readonly signal?: AbortSignal
    readonly cutTo?: (bytes: number) => number
  },
): Promise<number> {
  const source = await open(from, 'r')
  try {
    return await replaceFile(to, async (temporary) => {
      const unpackedBytes = await unpack(source, from, temporary, options)
      const bytes = options.cutTo?.(unpackedBytes) ?? unpackedBytes
      // Also sets the size where the file ends in a hole.
      await truncate(temporary, bytes)
      return bytes
    })
  } finally {
    await source.close()
  }
}

async function unpack(
  source: FileHandle,
  from: string,
  to: string,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal?: AbortSignal },
): Promise<number> {
  const headerBytes = await gzipHeaderBytes(source, from)
  const output = await open(to, 'wx')
  // From here to the loop nothing is awaited: an error before it would have no listener.
  const inflate = createInflateRaw({ chunkSize: chunkBytes })
  const input = createReadStream(from, { start: headerBytes, highWaterMark: chunkBytes })
  const onAbort = (): void => void inflate.destroy(cancelledError())
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted === true) onAbort()
  input.on('error', (error) => inflate.destroy(error))
  input.pipe(inflate)
  let bytes = 0
  let sum = 0
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      if (bytes + chunk.length > maxBytes) throw tooLarge(from, maxBytes)
      sum = crc32(chunk, sum)
      if (!chunk.equals(zeros.subarray(0, chunk.length))) await output.write(chunk, 0, chunk.length, bytes)
      bytes += chunk.length
    }
  } catch (error) {
    if ((error as { code?: string }).code?.startsWith('Z_') !== true) throw error
    throw corrupt(
      from,
      (error as { code?: string }).code === 'Z_BUF_ERROR' ? 'it ends early' : messageOf(error),
    )
  } finally {
    signal?.removeEventListener('abort', onAbort)
    input.unpipe(inflate)
    input.destroy()
    inflate.destroy()
    await output.close()
  }
  await checkTrailer(source, from, headerBytes + inflate.bytesWritten, { bytes, sum })
  return bytes
}

async function checkTrailer(
  source: FileHandle,
  from: string,
  position: number,
  unpacked: { bytes: number; sum: number },
): Promise<void> {
  const { buffer, bytesRead } = await source.read(Buffer.alloc(8), 0, 8, position)
  if (bytesRead < 8) throw corrupt(from, 'it ends early')
  const matches =
    buffer.readUInt32LE(0) === unpacked.sum && buffer.readUInt32LE(4) === unpacked.bytes % 2 ** 32
  if (!matches) throw corrupt(from, 'its checksum does not match')
}

const flag = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const

/** Length of the member header, which has optional fields behind its first ten bytes. */
async function gzipHeaderBytes(source: FileHandle, from: string): Promise<number> {
  const { buffer, bytesRead } = await source.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, 0)
  const head = buffer.subarray(0, bytesRead)
  if (head.length < 10 || head.readUIntBE(0, 3) !== 0x1f8b08) throw corrupt(from, 'it is no gzip file')
  const flags = head.readUInt8(3)
  let position = 10
  if ((flags & flag.extra) !== 0) {
    if (head.length < position + 2) throw corrupt(from, 'it ends early')
    position += 2 + head.readUInt16LE(position)
  }
  for (const field of [flag.name, flag.comment]) {
    if ((flags & field) === 0) continue
    const end = head.indexOf(0, position)
    if (end < 0) throw corrupt(from, 'it ends early')
    position = end + 1
  }
  return (flags & flag.headerCrc) === 0 ? position : position + 2
}

const tooLarge = (path: string, maxBytes: number): Error =>
  buildError('E_FILE_TOO_LARGE', `${path} unpacks to more than the ${maxBytes} bytes that are taken`)

const corrupt = (path: string, why: string): Error =>
  infraError('E_GZIP_CORRUPT', `${path} cannot be unpacked: ${why}`, {
    hint: 'The file is damaged or was not written completely; make or download it again.',
    retryable: false,
  })
