import { createWriteStream, existsSync, mkdirSync, type WriteStream } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cancelledError } from '../core/errors.ts'
import type { Progress, Reporter, StepOutcome } from '../core/events.ts'
import { canonicalJson, differences, type Json, type JsonDifference } from '../core/json.ts'
import { fingerprintOf, type StepRecord } from '../core/step-record.ts'
import { atomicWrite } from '../effects/files.ts'

/** Handed to a running step. */
export interface StepTools {
  readonly signal: AbortSignal
  /** Raw output: to the step's log, and to a verbose reporter. */
  readonly line: (text: string, stream?: 'out' | 'err') => void
  readonly progress: (progress: Progress) => void
  readonly note: (text: string, level?: 'info' | 'warn') => void
  readonly logPath: string
  /** Outputs of the step's last run that got to its end, whatever its inputs were. */
  readonly previous: Json | undefined
}

/** One line of a recipe. `C` is what all of its steps share. */
export interface Step<C, O extends Json = Json> {
  readonly id: string
  readonly title: string
  /** Raised when the step does otherwise than before with the same inputs. */
  readonly version: number
  /** `alone`: its inputs name all that it depends on, so that an earlier step that runs does not make it run. */
  readonly judged?: 'alone'
  /** Everything the result depends on; may look at the outside world but changes nothing. */
  inputs(context: C, tools: StepTools): Promise<Json>
  run(context: C, tools: StepTools): Promise<O>
  /** Whether what an earlier run recorded is still there. */
  intact?(context: C, outputs: O, tools: StepTools): Promise<boolean>
  /** Gives the outputs, fresh or recorded, to later steps. */
  adopt(context: C, outputs: O, fresh: boolean): void
  summary?(outputs: O): string
}

export interface RunOptions {
  /** Where records and logs of this build live. */
  readonly stateDir: string
  readonly signal: AbortSignal
  readonly report: Reporter
  /** Id of the last step to do. */
  readonly until?: string
  /**
   * `removed`: what comes after a step that runs is done again. `kept`: it is judged by its own inputs, which then
   * have to name all that it depends on.
   */
  readonly laterRecords?: 'removed' | 'kept'
  readonly nowMs: () => number
}

/** A step that ran although it had run before, and why. */
export interface Rerun {
  readonly step: string
  readonly differences: readonly JsonDifference[]
  /** True when the inputs are the same and what was made is gone or was changed. */
  readonly outputsGone: boolean
}

export interface RunResult {
  readonly outcomes: ReadonlyMap<string, StepOutcome>
  readonly reruns: readonly Rerun[]
}

/**
 * Does the steps in order. A step whose inputs have the recorded fingerprint and whose outputs are intact is
 * not run again. A record is removed before its step runs, with those of all later steps, and written only
 * after: a killed run continues at the step that did not finish.
 */
export async function runSteps<C>(
  steps: readonly Step<C>[],
  context: C,
  options: RunOptions,
): Promise<RunResult> {
  const last =
    options.until === undefined ? steps.length - 1 : steps.findIndex((step) => step.id === options.until)
  const planned = steps.slice(0, last + 1)
  options.report({ type: 'plan', steps: planned.map(({ id, title }) => ({ id, title })) })
  const outcomes = new Map<string, StepOutcome>()
  const reruns: Rerun[] = []
  for (const [index, step] of planned.entries()) {
    if (options.signal.aborted) throw cancelledError()
    const stale =
      options.laterRecords === 'kept'
        ? [step]
        : steps.slice(index).filter((each) => each === step || each.judged !== 'alone')
    const later = stale.map(({ id }) => id)
    outcomes.set(step.id, await runStep(step, index, later, context, options, reruns))
  }
  return { outcomes, reruns }
}

async function runStep<C>(
  step: Step<C>,
  index: number,
  later: readonly string[],
  context: C,
  options: RunOptions,
  reruns: Rerun[],
): Promise<StepOutcome> {
  const startedMs = options.nowMs()
  const recordPath = (id: string): string => join(options.stateDir, 'steps', `${id}.json`)
  // Unlike the record, it outlives what makes the step run again: for estimates only.
  const lastPath = join(options.stateDir, 'last', `${step.id}.json`)
  const last = await readRecord(lastPath)
  const expectedMs = last?.durationMs
  const { report } = options
  report({ type: 'step-start', step: step.id, ...(expectedMs === undefined ? {} : { expectedMs }) })
  using log = openLog(join(options.stateDir, 'logs', `${String(index + 1).padStart(2, '0')}-${step.id}.log`))
  const tools = { ...toolsOf(step.id, log, options), previous: last?.outputs }
  const end = (outcome: StepOutcome, outputs?: Json): StepOutcome => {
    const summary = outputs === undefined ? undefined : step.summary?.(outputs)
    const durationMs = options.nowMs() - startedMs
    report({
      type: 'step-end',
      step: step.id,
      outcome,
      durationMs,
      ...(summary === undefined ? {} : { summary }),
    })
    return outcome
  }
  try {
    const inputs = await step.inputs(context, tools)
    const fingerprint = fingerprintOf(step.version, inputs)
    const record = await readRecord(recordPath(step.id))
    if (record !== undefined) {
      const same = record.fingerprint === fingerprint
      if (same && (await (step.intact?.(context, record.outputs, tools) ?? true))) {
        step.adopt(context, record.outputs, false)
        return end('cached', record.outputs)
      }
      reruns.push({ step: step.id, differences: differences(record.inputs, inputs), outputsGone: same })
    }
    await Promise.all(later.map((id) => rm(recordPath(id), { force: true })))
    const outputs = await step.run(context, tools)
    const durationMs = Math.round(options.nowMs() - startedMs)
    const done: StepRecord = {
      step: step.id,
      inputs,
      fingerprint,
      outputs,
      durationMs,
      logPath: log.pathIfUsed(),
    }
    const text = canonicalJson(done as unknown as Json)
    await atomicWrite(recordPath(step.id), text)
    await atomicWrite(lastPath, text)
    step.adopt(context, outputs, true)
    return end('done', outputs)
  } catch (error) {
    end(options.signal.aborted ? 'cancelled' : 'failed')
    throw options.signal.aborted ? cancelledError() : error
  }
}

function toolsOf(step: string, log: StepLog, options: RunOptions): Omit<StepTools, 'previous'> {
  const { report, signal } = options
  return {
    signal,
    logPath: log.path,
    line: (text, stream = 'out') => {
      log.write(text)
      report({ type: 'line', step, stream, text })
    },
    progress: (progress) => report({ type: 'progress', step, progress }),
    note: (text, level = 'info') => {
      log.write(`${level}: ${text}`)
      report({ type: 'note', step, level, text })
    },
  }
}

interface StepLog extends Disposable {
  readonly path: string
  readonly write: (text: string) => void
  readonly pathIfUsed: () => string | null
}

/** Opened at the first line, so that a cached step keeps the log of the run that made it. */
function openLog(path: string): StepLog {
  let stream: WriteStream | undefined
  return {
    path,
    write: (text) => {
      if (stream === undefined) {
        mkdirSync(join(path, '..'), { recursive: true })
        stream = createWriteStream(path)
        // A log that can't be written (disk full) must not hide the failure that the step reports.
        stream.on('error', () => {})
      }
      stream.write(`${text}\n`)
    },
    pathIfUsed: () => (stream === undefined ? null : path),
    [Symbol.dispose]: () => void stream?.end(),
  }
}

/** A record that is absent or damaged counts as not there: the step runs again. */
async function readRecord(path: string): Promise<StepRecord | undefined> {
  if (!existsSync(path)) return undefined
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as Partial<StepRecord> | null
    const whole = typeof value?.fingerprint === 'string' && value.outputs !== undefined
    return whole ? (value as StepRecord) : undefined
  } catch {
    return undefined
  }
}
