import {
  Listr,
  ListrLogger,
  ProcessOutput,
  type ListrTaskWrapper,
  type DefaultRenderer,
  type SimpleRenderer,
} from 'listr2'
import { formatDuration } from '../core/duration.ts'
import type { Reporter, StepEvent } from '../core/events.ts'
import { visibleText } from '../core/visible-text.ts'
import { elapsedText, progressText } from './progress-text.ts'

type TaskView = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>

interface Row {
  /** Where a step has ended: with its outcome. */
  title: string
  /** Shown below the title at once, and for good. */
  readonly warnings: string[]
  readonly finish: (failed: boolean) => void
  readonly finished: Promise<boolean>
  view?: TaskView
  startedMs?: number
  expectedMs?: number
  doing?: string
}

const tickMs = 1000

/** A live list of steps on a terminal, drawn by listr2. `close` stops drawing. */
export function terminalReporter(nowMs: () => number): { report: Reporter; close: () => Promise<void> } {
  const rows = new Map<string, Row>()
  const notes: string[] = []
  let drawing: Promise<unknown> = Promise.resolve()
  const redraw = (row: Row): void => {
    if (row.view === undefined) return
    const title = [row.title, ...row.warnings].join('\n')
    if (row.view.title !== title) row.view.title = title
    if (row.startedMs === undefined) return
    row.view.output = [row.doing, elapsedText(nowMs() - row.startedMs, row.expectedMs)]
      .filter(Boolean)
      .join(' · ')
  }
  const ticker = setInterval(() => rows.forEach(redraw), tickMs)
  ticker.unref()
  const report = (event: StepEvent): void => {
    if (event.type === 'plan') {
      for (const { id, title } of event.steps) rows.set(id, newRow(title))
      drawing = draw([...rows.values()], redraw)
      return
    }
    const row = event.step === undefined ? undefined : rows.get(event.step)
    if (event.type === 'note') {
      const text = `${event.level === 'warn' ? '⚠ ' : ''}${visibleText(event.text)}`
      if (row !== undefined && event.level === 'warn') row.warnings.push(text)
      else notes.push(row === undefined ? text : `${row.title}: ${text}`)
    }
    if (row === undefined) return
    if (event.type === 'step-start') {
      row.startedMs = nowMs()
      if (event.expectedMs !== undefined) row.expectedMs = event.expectedMs
    } else if (event.type === 'progress') {
      row.doing = visibleText(progressText(event.progress))
    } else if (event.type === 'step-end') {
      row.title = visibleText(endTitle(row.title, event))
      delete row.startedMs
    }
    redraw(row)
    if (event.type === 'step-end') row.finish(event.outcome === 'failed' || event.outcome === 'cancelled')
  }
  const close = async (): Promise<void> => {
    clearInterval(ticker)
    for (const row of rows.values()) row.finish(true)
    await drawing
    for (const note of notes.splice(0)) process.stderr.write(`  ${note}\n`)
  }
  return { report, close }
}

function newRow(title: string): Row {
  const { promise, resolve } = withResolvers<boolean>()
  return { title, warnings: [], finish: resolve, finished: promise }
}

/** Standard output carries results only, also where it is no terminal and listr2 falls back to plain lines. */
const onStandardError = (): ListrLogger =>
  new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) })

function draw(rows: readonly Row[], redraw: (row: Row) => void): Promise<unknown> {
  const list = new Listr(
    rows.map((row) => ({
      title: row.title,
      task: async (_: unknown, view: TaskView) => {
        row.view = view
        // What happened before listr2 came to it.
        redraw(row)
        if (await row.finished) throw new Error(view.title)
      },
    })),
    {
      exitOnError: true,
      registerSignalListeners: false,
      fallbackRenderer: 'simple',
      rendererOptions: {
        showErrorMessage: false,
        collapseErrors: false,
        logger: onStandardError(),
      },
      fallbackRendererOptions: { logger: onStandardError() },
    },
  )
  // The failure itself is thrown by the pipeline; here it is only drawn.
  return list.run().catch(() => {})
}

function endTitle(title: string, event: Extract<StepEvent, { type: 'step-end' }>): string {
  const words = [event.outcome === 'done' ? formatDuration(event.durationMs) : event.outcome, event.summary]
  return `${title} (${words.filter(Boolean).join(', ')})`
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((resolvePromise) => {
    resolve = resolvePromise
  })
  return { promise, resolve }
}
