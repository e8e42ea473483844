import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { contentOf, fwbuild, killedApply, seriesOf } from '../test/helpers/killed-apply.ts'
import { randomFrom } from './random.ts'

/**
 * `node dist/bench/patch-kill.js [ROUNDS [FILES [SEED]]]`: kills `patch apply` at random moments, half of them from
 * when it begins to write, and looks whether the tree is all old or all new, and the next run completes it.
 */
const [rounds = 100, files = 2000, seed = Date.now()] = process.argv.slice(2).map(Number)
const random = randomFrom(seed)
const folder = fs.mkdtempSync(path.join(tmpdir(), 'fwbuild-kill-'))
try {
  const series = seriesOf(files, folder)
  const work = path.join(folder, 'work')
  const old = contentOf(series.tree)
  fs.cpSync(series.tree, work, { recursive: true })
  const started = performance.now()
  if ((await fwbuild(['patch', 'apply', '--tree', work, series.patches])) !== 0)
    throw new Error('apply failed')
  const wholeMs = performance.now() - started
  const expected = { old, new: contentOf(work) }
  const counts = new Map<string, number>()
  for (let round = 0; round < rounds; round++) {
    const from = round % 2 === 0 ? 'start' : 'write'
    const delayMs = (random.below(1000) / 1000) * wholeMs * (from === 'start' ? 1.1 : 0.7)
    const { phase = 'no journal', settled } = await killedApply(series, work, expected, { from, delayMs })
    counts.set(`${phase}, then ${settled}`, (counts.get(`${phase}, then ${settled}`) ?? 0) + 1)
  }
  console.log(`seed ${seed}: ${rounds} kills of an apply to ${files} files (${wholeMs.toFixed(0)} ms)`)
  for (const [what, count] of counts) console.log(`  ${what}: ${count}`)
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
