import { spawnSync } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'
import test from 'ava'
import type { StepEvent } from '../../../src/core/events.ts'
import { terminalReporter } from '../../../src/report/terminal.ts'
import { needProgram, testWith } from '../../helpers/need.ts'

/** What a reporter writes to standard error and standard output of this process, which is no terminal here. */
async function drawn(events: readonly StepEvent[]): Promise<{ err: string; out: string }> {
  let err = ''
  let out = ''
  const stderr = process.stderr.write.bind(process.stderr)
  const stdout = process.stdout.write.bind(process.stdout)
  process.stderr.write = (text: string | Uint8Array) => {
    err += String(text)
    return true
  }
  process.stdout.write = (text: string | Uint8Array) => {
    out += String(text)
    return true
  }
  try {
    const { report, close } = terminalReporter(() => 0)
    for (const event of events) report(event)
    await new Promise((resolve) => setTimeout(resolve, 200))
    await close()
    await close()
  } finally {
    process.stderr.write = stderr
    process.stdout.write = stdout
  }
  return { err, out }
}

const plan: StepEvent = {
  type: 'plan',
  steps: [
    { id: 'a', title: 'First' },
    { id: 'b', title: 'Second' },
  ],
}

test.serial(
  'the live list draws on standard error, notes at its end, and closes twice without harm',
  async (t) => {
    const { err, out } = await drawn([
      plan,
      { type: 'step-start', step: 'a', expectedMs: 1000 },
      { type: 'progress', step: 'a', progress: { item: 'package/zlib', done: 1, total: 2 } },
      { type: 'note', step: 'a', level: 'warn', text: 'careful' },
      { type: 'step-end', step: 'a', outcome: 'done', durationMs: 1500, summary: 'well' },
      { type: 'step-start', step: 'b' },
      { type: 'step-end', step: 'b', outcome: 'cached', durationMs: 0 },
    ])
    t.is(out, '')
    t.regex(err, /First/)
    t.regex(err, /Second/)
    t.is(err.match(/⚠ careful/g)?.length, 1)
  },
)

test.serial('a failed step ends the list; steps that never began do not hold it up', async (t) => {
  const { err, out } = await drawn([
    plan,
    { type: 'step-start', step: 'a' },
    { type: 'step-end', step: 'a', outcome: 'failed', durationMs: 1500 },
  ])
  t.is(out, '')
  t.regex(err, /First/)
})

testWith(
  [needProgram('script')],
  'on a terminal a warning stands below its step as soon as it is given',
  (t) => {
    const child = new URL('../../helpers/terminal-child.js', import.meta.url).pathname
    const words = [
      'script',
      '-qec',
      `stty cols 60 rows 24; exec '${process.execPath}' '${child}'`,
      '/dev/null',
    ]
    const { stdout, status } = spawnSync(words[0] ?? '', words.slice(1), { encoding: 'utf8' })
    t.is(status, 137)
    t.regex(stripVTControlCharacters(stdout), /First\r?\n\s+⚠ careful/)
  },
)

test.serial('events before any plan are no harm', async (t) => {
  const { err } = await drawn([{ type: 'note', level: 'info', text: 'swept' }])
  t.regex(err, /swept/)
})
