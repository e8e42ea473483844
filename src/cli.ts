import { buffer } from 'node:stream/consumers'
import { runCli } from './commands/main.ts'

const interruptExitCode = 130

const controller = new AbortController()

/** First interrupt: stop cleanly, keep what is done. Second: stop now. */
function onInterrupt(): void {
  if (controller.signal.aborted) process.exit(interruptExitCode)
  process.stderr.write('\nfwbuild: stopping; interrupt again to stop at once\n')
  controller.abort()
}
process.on('SIGINT', onInterrupt)
process.on('SIGTERM', onInterrupt)
// A reader that went away (`fwbuild … | head`) is no failure, and what runs is to be cleaned up.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    controller.abort()
  })
}

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  stdin: process.stdin.isTTY ? process.stdin : undefined,
  readInput: process.stdin.isTTY ? undefined : () => buffer(process.stdin),
  env: process.env,
  cwd: process.cwd(),
  stdoutIsTty: process.stdout.isTTY,
  stdoutColumns: process.stdout.columns,
  stderrIsTty: process.stderr.isTTY,
  signal: controller.signal,
})
