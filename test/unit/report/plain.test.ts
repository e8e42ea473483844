import test from 'ava'
import type { StepEvent } from '../../../src/core/events.ts'
import { jsonReporter } from '../../../src/report/json-lines.ts'
import { plainReporter } from '../../../src/report/plain.ts'
import { elapsedText, progressText } from '../../../src/report/progress-text.ts'

const plan: StepEvent = { type: 'plan', steps: [{ id: 'compile', title: 'Compile' }] }

function report(
  events: readonly StepEvent[],
  options: { verbose?: boolean; quiet?: boolean; stepMs?: number } = {},
) {
  let text = ''
  let nowMs = Date.UTC(2024, 0, 1, 12, 30, 0)
  const reporter = plainReporter({
    write: (part) => void (text += part),
    now: () => new Date(nowMs),
    verbose: options.verbose ?? false,
    quiet: options.quiet ?? false,
  })
  for (const event of events) {
    reporter(event)
    nowMs += options.stepMs ?? 0
  }
  return text
}

const run: readonly StepEvent[] = [
  plan,
  { type: 'step-start', step: 'compile', expectedMs: 65_000 },
  { type: 'line', step: 'compile', stream: 'out', text: 'cc x.c' },
  { type: 'progress', step: 'compile', progress: { item: 'package/zlib', done: 3, total: 9 } },
  { type: 'note', step: 'compile', level: 'info', text: 'by the way' },
  { type: 'note', level: 'warn', text: 'careful' },
  { type: 'step-end', step: 'compile', outcome: 'failed', durationMs: 1500, summary: 'so it is' },
]

test('plain: a timestamped line for starts, notes and ends', (t) => {
  t.is(
    report(run),
    [
      '12:30:00 Compile … (took 1 min 05 s last time)',
      '12:30:00   by the way',
      '12:30:00   warning: careful',
      '12:30:00 Compile FAILED (1.5 s): so it is',
      '',
    ].join('\n'),
  )
})

test('plain: raw lines when verbose, only warnings and failures when quiet', (t) => {
  t.regex(report(run, { verbose: true }), /^cc x\.c$/m)
  t.is(
    report(run, { quiet: true }),
    '12:30:00   warning: careful\n12:30:00 Compile FAILED (1.5 s): so it is\n',
  )
  const done: StepEvent = { type: 'step-end', step: 'compile', outcome: 'done', durationMs: 1 }
  t.is(report([plan, done], { quiet: true }), '')
})

test('plain: progress every 15 s, not with each item', (t) => {
  const progress = (item: string): StepEvent => ({ type: 'progress', step: 'compile', progress: { item } })
  const items = Array.from({ length: 10 }, (_, index) => progress(`i${index}`))
  const text = report([plan, { type: 'step-start', step: 'compile' }, ...items], { stepMs: 4000 })
  t.deepEqual(text.match(/ i\d$/gm), [' i3', ' i7'])
})

test('plain: a step that no plan named goes by its id', (t) => {
  t.is(
    report([{ type: 'step-end', step: 'x', outcome: 'cached', durationMs: 0 }]),
    '12:30:00 x cached (0.0 s)\n',
  )
})

test('JSON lines: each event a line; raw output only when verbose', (t) => {
  for (const verbose of [false, true]) {
    const lines: string[] = []
    const reporter = jsonReporter((text) => void lines.push(text), verbose)
    for (const event of run) reporter(event)
    const events = lines.map((line) => JSON.parse(line) as StepEvent)
    t.deepEqual(
      events,
      run.filter((event) => verbose || event.type !== 'line'),
    )
    t.true(lines.every((line) => line.indexOf('\n') === line.length - 1))
  }
})

test('progress and elapsed time as text', (t) => {
  t.is(progressText({ item: 'a' }), 'a')
  t.is(progressText({ item: 'a', done: 2 }), 'a (2)')
  t.is(progressText({ item: 'a', done: 2, total: 5 }), 'a (2 of 5)')
  t.is(elapsedText(1000, undefined), '1.0 s elapsed')
  t.is(elapsedText(65_000, 200_000), '1 min 05 s elapsed, about 3 min 20 s in all')
})
