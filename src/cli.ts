import { writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { runCli } from './commands/main.ts'
import { readPipe } from './effects/patch-bytes.ts'

const interruptExitCode = 130
const showCursor = '\u001B[?25h'
const infraExitCode = 3
const usageExitCode = 2

const controller = new AbortController()

/** First interrupt: stop cleanly, keep what is done. Second: stop now. */
function onInterrupt(): void {
  if (controller.signal.aborted) {
    // The live list hides the cursor and cannot clean up after itself now.
    if (process.stderr.isTTY) writeSync(process.stderr.fd, showCursor)
    process.exit(interruptExitCode)
  }
  process.stderr.write('\nfwbuild: stopping; interrupt again to stop at once\n')
  controller.abort()
}
process.on('SIGINT', onInterrupt)
process.on('SIGTERM', onInterrupt)
// The terminal was closed: what runs in a container must not go on without anybody. Shell and kernel both
// tell, so this is no second interrupt. Under nohup (the launcher knows, Node forgets) the build goes on.
process.on('SIGHUP', () => {
  if (process.env['FWBUILD_NOHUP'] !== '1') controller.abort()
})

let unwritten: NodeJS.ErrnoException | undefined
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that went away (`fwbuild … | head`, a closed terminal) is no failure; a full disk is one.
    // Either way what runs is to be cleaned up.
    if (!['EPIPE', 'EIO'].includes(error.code ?? '') && stream === process.stdout) unwritten = error
    controller.abort()
  })
}

/** The current directory; where it was removed, relative paths mean nothing, and nothing can be done. */
function currentDirectory(): string {
  try {
    return process.cwd()
  } catch {
    process.stderr.write('fwbuild: the current directory was removed; change to another one [E_NO_CWD]\n')
    process.exit(usageExitCode)
  }
}

const exitCode = await runCli(process.argv.slice(2), {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  stdin: process.stdin.isTTY ? process.stdin : undefined,
  readInput: process.stdin.isTTY
    ? undefined
    : (leftBytes) => readPipe(process.stdin, 'standard input', { leftBytes }, controller.signal),
  env: process.env,
  cwd: currentDirectory(),
  stdoutIsTty: process.stdout.isTTY,
  stdoutColumns: process.stdout.columns,
  stderrIsTty: process.stderr.isTTY,
  signal: controller.signal,
})
// Stream errors arrive one turn of the event loop after the write.
await setImmediate()
if (unwritten === undefined) process.exitCode = exitCode
else {
  process.stderr.write(`fwbuild: standard output cannot be written: ${unwritten.message} [E_STDOUT]\n`)
  process.exitCode = infraExitCode
}
