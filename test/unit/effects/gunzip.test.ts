import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import { wholeSectorBytes } from '../../../src/core/image/conversion.ts'
import { gunzipFile } from '../../../src/effects/gunzip.ts'

let directory = ''
test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fwbuild-gunzip-'))
})
test.after.always(() => rm(directory, { recursive: true, force: true }))

/** More than any of these unpacks to. */
const enough = 64 << 20

const content = Buffer.concat([
  randomBytes(300_000),
  Buffer.alloc(4 << 20),
  Buffer.from('middle'),
  Buffer.alloc(1 << 20),
])

async function unpack(name: string, packed: Buffer): Promise<Buffer> {
  const from = join(directory, `${name}.gz`)
  await writeFile(from, packed)
  await gunzipFile(from, join(directory, name), { maxBytes: enough })
  return readFile(join(directory, name))
}

test('a plain gzip file, with holes for its zeros', async (t) => {
  t.true((await unpack('plain', gzipSync(content))).equals(content))
  const { blocks, size } = await stat(join(directory, 'plain'))
  t.true(blocks * 512 < size)
})

test('an empty one', async (t) => {
  t.is((await unpack('empty', gzipSync(''))).length, 0)
})

for (const [title, tail] of [
  ['text metadata', Buffer.from('{"metadata_version":"1.1"} FWx0')],
  ['zeros', Buffer.alloc(100_000)],
  ['more than one buffer', randomBytes(2 << 20)],
  ['a second member', gzipSync('second')],
] as const) {
  test(`${title} behind the first member is ignored`, async (t) => {
    const name = `tail-${title.replaceAll(' ', '-')}`
    t.true((await unpack(name, Buffer.concat([gzipSync(content), tail]))).equals(content))
  })
}

test('optional header fields are skipped', async (t) => {
  const plain = gzipSync('hello')
  const head = Buffer.from(plain.subarray(0, 10))
  head[3] = 2 + 4 + 8 + 16
  const fields = Buffer.concat([
    Buffer.from([3, 0]),
    Buffer.from('abc'),
    Buffer.from('name\0'),
    Buffer.from('comment\0'),
    Buffer.from([0, 0]),
  ])
  t.is((await unpack('fields', Buffer.concat([head, fields, plain.subarray(10)]))).toString(), 'hello')
})

const packed = gzipSync(content)
const damaged: readonly [string, Buffer, RegExp][] = [
  ['cut in the middle', packed.subarray(0, packed.length >> 1), /ends early/],
  ['cut in the trailer', packed.subarray(0, packed.length - 3), /ends early/],
  ['cut in the header', packed.subarray(0, 5), /no gzip file/],
  ['not gzip', Buffer.from('MZ this is no gzip file'), /no gzip file/],
  ['with a wrong checksum', Buffer.concat([packed.subarray(0, -8), Buffer.alloc(8)]), /checksum/],
]
for (const [title, bytes, message] of damaged) {
  test(`a file ${title} is refused and leaves nothing`, async (t) => {
    const name = `damaged-${title.replaceAll(' ', '-')}`
    const error = await t.throwsAsync(unpack(name, bytes), { instanceOf: FwbuildError, message })
    t.is(error.code, 'E_GZIP_CORRUPT')
    t.deepEqual(
      (await readdir(directory)).filter((file) => file.startsWith(name)),
      [`${name}.gz`],
    )
  })
}

test('the size can be cut', async (t) => {
  const from = join(directory, 'cut.gz')
  await writeFile(from, gzipSync(Buffer.alloc(1024 + 17, 'x')))
  t.is(await gunzipFile(from, join(directory, 'cut'), { maxBytes: enough, cutTo: wholeSectorBytes }), 1024)
  t.is((await stat(join(directory, 'cut'))).size, 1024)
})

test('abort leaves nothing', async (t) => {
  const from = join(directory, 'aborted.gz')
  await writeFile(from, packed)
  const options = { maxBytes: enough, signal: AbortSignal.abort() }
  await t.throwsAsync(gunzipFile(from, join(directory, 'aborted'), options), { message: 'interrupted' })
  t.false((await readdir(directory)).some((file) => /^aborted(?!\.gz$)/.test(file)))
})

test('no more is unpacked than is taken', async (t) => {
  const from = join(directory, 'bomb.gz')
  await writeFile(from, gzipSync(Buffer.alloc(enough)))
  const options = { maxBytes: enough - 1 }
  await t.throwsAsync(gunzipFile(from, join(directory, 'bomb'), options), { code: 'E_FILE_TOO_LARGE' })
  t.false((await readdir(directory)).some((file) => /^bomb(?!\.gz$)/.test(file)))
})
