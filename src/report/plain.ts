import { formatDuration } from '../core/duration.ts'
import type { Reporter, StepOutcome } from '../core/events.ts'
import { progressText } from './progress-text.ts'

const outcomeWords: Readonly<Record<StepOutcome, string>> = {
  done: 'done',
  cached: 'cached',
  skipped: 'skipped',
  failed: 'FAILED',
  cancelled: 'cancelled',
}

export interface PlainOptions {
  readonly write: (text: string) => void
  readonly now: () => Date
  /** Also every raw line. */
  readonly verbose: boolean
  readonly quiet: boolean
}

const progressPauseMs = 15_000

/** Timestamped lines for logs, CI and pipes. */
export function plainReporter(options: PlainOptions): Reporter {
  const titles = new Map<string, string>()
  let lastProgressMs = 0
  const say = (text: string): void => options.write(`${options.now().toISOString().slice(11, 19)} ${text}\n`)
  return (event) => {
    const title = 'step' in event && event.step !== undefined ? (titles.get(event.step) ?? event.step) : ''
    switch (event.type) {
      case 'plan':
        for (const step of event.steps) titles.set(step.id, step.title)
        break
      case 'step-start': {
        const expected =
          event.expectedMs === undefined ? '' : ` (took ${formatDuration(event.expectedMs)} last time)`
        if (!options.quiet) say(`${title} …${expected}`)
        lastProgressMs = options.now().getTime()
        break
      }
      case 'line':
        if (options.verbose) options.write(`${event.text}\n`)
        break
      case 'progress': {
        const nowMs = options.now().getTime()
        if (options.quiet || nowMs - lastProgressMs < progressPauseMs) break
        lastProgressMs = nowMs
        say(`  ${progressText(event.progress)}`)
        break
      }
      case 'note':
        if (!options.quiet || event.level === 'warn') {
          say(`  ${event.level === 'warn' ? 'warning: ' : ''}${event.text}`)
        }
        break
      case 'step-end': {
        if (options.quiet && event.outcome !== 'failed') break
        const summary = event.summary === undefined ? '' : `: ${event.summary}`
        say(`${title} ${outcomeWords[event.outcome]} (${formatDuration(event.durationMs)})${summary}`)
        break
      }
    }
  }
}
