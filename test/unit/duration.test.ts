import test from 'ava'
import { formatDuration } from '../../src/core/duration.ts'

for (const [durationMs, text] of [
  [0, '0.0 s'],
  [444, '0.4 s'],
  [9_940, '9.9 s'],
  [9_960, '10 s'],
  [12_400, '12 s'],
  [59_499, '59 s'],
  [59_600, '1 min 00 s'],
  [185_000, '3 min 05 s'],
  [3_599_600, '1 h 00 min'],
  [4_800_000, '1 h 20 min'],
  [90_000_000, '25 h 00 min'],
] as const) {
  test(`${durationMs} ms is ${text}`, (t) => t.is(formatDuration(durationMs), text))
}
