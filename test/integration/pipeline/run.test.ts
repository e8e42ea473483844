import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { StepEvent } from '../../../src/core/events.ts'
import type { Json } from '../../../src/core/json.ts'
import type { StepRecord } from '../../../src/core/step-record.ts'
import { runSteps, type RunResult, type Step } from '../../../src/pipeline/run.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

interface Build {
  inputs: Record<string, Json>
  /** Ids of the steps whose outputs are gone. */
  readonly gone: Set<string>
  readonly ran: string[]
  readonly adopted: string[]
  /** Called while a step runs. */
  during: (id: string) => void | Promise<void>
}

const step = (id: string): Step<Build, { made: string }> => ({
  id,
  version: 1,
  title: id.toUpperCase(),
  inputs: async (build) => build.inputs[id] ?? null,
  run: async (build, tools) => {
    build.ran.push(id)
    tools.line(`${id} at work`)
    tools.progress({ item: id })
    await build.during(id)
    return { made: id }
  },
  intact: async (build) => !build.gone.has(id),
  adopt: (build, outputs, fresh) =>
    void build.adopted.push(`${outputs.made} ${fresh ? 'fresh' : 'recorded'}`),
  summary: ({ made }) => `made ${made}`,
})

async function bench(t: ExecutionContext) {
  const stateDir = await temporaryDirectory(t)
  const events: StepEvent[] = []
  const run = async (
    change: Partial<Build> = {},
    options: { until?: string; signal?: AbortSignal } = {},
  ): Promise<RunResult & { readonly build: Build }> => {
    const build: Build = {
      inputs: { a: { x: 1 }, b: { y: [1] }, c: null },
      gone: new Set(),
      ran: [],
      adopted: [],
      during: () => {},
      ...change,
    }
    events.length = 0
    let nowMs = 0
    const result = await runSteps([step('a'), step('b'), step('c')], build, {
      stateDir,
      signal: options.signal ?? new AbortController().signal,
      report: (event) => void events.push(event),
      nowMs: () => (nowMs += 100),
      ...(options.until === undefined ? {} : { until: options.until }),
    })
    return { ...result, build }
  }
  const record = (id: string): string => join(stateDir, 'steps', `${id}.json`)
  return { stateDir, events, run, record }
}

test('the first run does every step, the second none; outputs are adopted either way', async (t) => {
  const { run, record, events, stateDir } = await bench(t)
  const first = await run()
  t.deepEqual(first.build.ran, ['a', 'b', 'c'])
  t.deepEqual(first.build.adopted, ['a fresh', 'b fresh', 'c fresh'])
  t.deepEqual(first.reruns, [])
  t.deepEqual(events[0], {
    type: 'plan',
    steps: [
      { id: 'a', title: 'A' },
      { id: 'b', title: 'B' },
      { id: 'c', title: 'C' },
    ],
  })
  const kept = JSON.parse(await readFile(record('b'), 'utf8')) as StepRecord
  t.like(kept, { step: 'b', inputs: { y: [1] }, outputs: { made: 'b' }, durationMs: 100 })
  t.is(kept.logPath, join(stateDir, 'logs/02-b.log'))
  const second = await run()
  t.deepEqual(second.build.ran, [])
  t.deepEqual(second.build.adopted, ['a recorded', 'b recorded', 'c recorded'])
  t.deepEqual([...second.outcomes.values()], ['cached', 'cached', 'cached'])
  t.like(
    events.find((event) => event.type === 'step-start' && event.step === 'b'),
    { expectedMs: 100 },
  )
  t.like(
    events.find((event) => event.type === 'step-end'),
    { outcome: 'cached', summary: 'made a' },
  )
})

test('changed inputs run the step again and say which; later steps with the same inputs run too', async (t) => {
  const { run } = await bench(t)
  await run()
  const result = await run({ inputs: { a: { x: 1 }, b: { y: [1, 2] }, c: null } })
  t.deepEqual(result.build.ran, ['b', 'c'])
  t.deepEqual(result.reruns, [
    { step: 'b', outputsGone: false, differences: [{ path: 'y.1', before: undefined, after: 2 }] },
  ])
})

test('outputs that are gone run the step again, with no difference to tell', async (t) => {
  const { run } = await bench(t)
  await run()
  const result = await run({ gone: new Set(['b']) })
  t.deepEqual(result.build.ran, ['b', 'c'])
  t.deepEqual(result.reruns, [{ step: 'b', outputsGone: true, differences: [] }])
})

test('a step that fails leaves no record of itself and of what came after', async (t) => {
  const { run, record, events } = await bench(t)
  await run()
  const failing = {
    inputs: { a: { x: 1 }, b: { y: [3] }, c: null },
    during: (id: string) => {
      if (id !== 'b') return
      t.false(existsSync(record('b')), 'removed before the step runs: a kill here is a rerun')
      t.false(existsSync(record('c')))
      throw new Error('no luck')
    },
  }
  await t.throwsAsync(run(failing), { message: 'no luck' })
  t.like(events.at(-1), { type: 'step-end', step: 'b', outcome: 'failed' })
  t.true(existsSync(record('a')))
  t.false(existsSync(record('b')))
  const again = await run()
  t.deepEqual(again.build.ran, ['b', 'c'])
})

test('until: later steps are not planned, their records stay', async (t) => {
  const { run, record, events } = await bench(t)
  await run()
  const result = await run({}, { until: 'b' })
  t.deepEqual([...result.outcomes.keys()], ['a', 'b'])
  t.like(events[0], { steps: [{ id: 'a' }, { id: 'b' }] })
  t.true(existsSync(record('c')))
})

test('an interrupt while a step runs is a cancellation, whatever the step threw', async (t) => {
  const { run, record, events } = await bench(t)
  const controller = new AbortController()
  const during = (id: string): void => {
    if (id !== 'b') return
    controller.abort()
    throw new Error('pipe broke')
  }
  await t.throwsAsync(run({ during }, { signal: controller.signal }), { code: 'E_CANCELLED' })
  t.like(events.at(-1), { step: 'b', outcome: 'cancelled' })
  t.true(existsSync(record('a')))
  t.false(existsSync(record('b')))
})

test('an interrupt that a step outran stops before the next one and keeps what is done', async (t) => {
  const { run, record } = await bench(t)
  const controller = new AbortController()
  const during = (id: string): void => void (id === 'a' && controller.abort())
  await t.throwsAsync(run({ during }, { signal: controller.signal }), { code: 'E_CANCELLED' })
  t.true(existsSync(record('a')))
  t.deepEqual((await run()).build.ran, ['b', 'c'])
})

test('a damaged record counts as not there', async (t) => {
  const { run, record, stateDir } = await bench(t)
  for (const text of ['', '{', 'null', '[]', '"x"', '{"step":"b"}']) {
    await run()
    await writeFile(record('b'), text)
    await writeFile(join(stateDir, 'last/b.json'), text)
    const result = await run()
    t.deepEqual(result.build.ran, ['b', 'c'], text)
  }
})

test('a cached step keeps the log of the run that made it; its times outlive its record', async (t) => {
  const { run, record, stateDir, events } = await bench(t)
  await run()
  const log = join(stateDir, 'logs/01-a.log')
  t.is(await readFile(log, 'utf8'), 'a at work\n')
  await run()
  t.is(await readFile(log, 'utf8'), 'a at work\n')
  await rm(record('a'))
  await run()
  t.like(
    events.find((event) => event.type === 'step-start'),
    { expectedMs: 100 },
  )
})
