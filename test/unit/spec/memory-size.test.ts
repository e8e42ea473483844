import test from 'ava'
import { memoryBytes, usualMemoryBytes, usualPids } from '../../../src/core/spec/memory-size.ts'

const gib = 1024 ** 3

test('sizes as Docker reads them', (t) => {
  for (const [text, bytes] of [
    ['8G', 8 * gib],
    ['8g', 8 * gib],
    ['8GiB', 8 * gib],
    ['1.5 GB', 1.5 * gib],
    ['1536M', 1.5 * gib],
    ['65536k', 64 * 1024 ** 2],
    ['67108864', 64 * 1024 ** 2],
  ] as const)
    t.is(memoryBytes(text), bytes, text)
  for (const text of ['', 'G', '8X', '-8G', '1M', '63.9M', '8 G G', '1e3G', '9999999T', '0x10G'])
    t.is(memoryBytes(text), undefined, text)
})

test('a build leaves the machine some of its memory', (t) => {
  t.is(usualMemoryBytes(64 * gib), 60 * gib)
  t.is(usualMemoryBytes(24 * gib), 21 * gib)
  t.is(usualMemoryBytes(2 * gib), 1.5 * gib)
  t.is(usualMemoryBytes(gib), gib / 2)
  t.is(usualPids(2), 4096)
  t.is(usualPids(96), 12_288)
})
