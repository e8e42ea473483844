import type { Reporter } from '../core/events.ts'
import { jsonReporter } from '../report/json-lines.ts'
import { plainReporter } from '../report/plain.ts'
import { terminalReporter } from '../report/terminal.ts'
import type { RunFlags } from './option-layers.ts'
import type { Io } from './io.ts'

/** JSON lines with --json, a live list on a terminal, timestamped lines elsewhere. */
export function reporterFor(
  run: RunFlags,
  io: Io,
): { readonly report: Reporter; readonly close: () => Promise<void> } {
  const close = async (): Promise<void> => {}
  if (run.json) return { report: jsonReporter(io.stderr, run.verbose), close }
  // listr2 looks at standard output to find out whether there is a terminal.
  const terminal = io.stderrIsTty && io.stdoutIsTty
  const live = terminal && !run.verbose && !run.quiet && io.env['CI'] === undefined
  if (live) return terminalReporter(() => Date.now())
  const { verbose, quiet } = run
  return { report: plainReporter({ write: io.stderr, now: () => new Date(), verbose, quiet }), close }
}
