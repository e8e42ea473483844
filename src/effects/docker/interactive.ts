import type { Terminal } from '../engine.ts'
import { environment, type ExecTarget } from './exec.ts'
import { exitCodeOf } from './exit-code.ts'

/**
 * Connects the user's terminal to a command in the container until it ends.
 * @returns its exit code
 */
export async function runInteractive(
  target: ExecTarget,
  argv: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  terminal: Terminal,
): Promise<number> {
  const { input, output } = terminal
  const exec = await target.container.exec({
    Cmd: [...argv],
    Env: environment(env),
    User: target.user,
    WorkingDir: cwd,
    Tty: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  })
  const stream = await exec.start({ hijack: true, stdin: true, Tty: true })
  const resize = (): void => {
    if (!('columns' in output) || output.columns === 0) return
    // Too early or too late a resize is refused; the next one, or none, will do.
    exec.resize({ h: output.rows, w: output.columns }).catch(() => {})
  }
  const raw = input.isTTY
  if (raw) input.setRawMode(true)
  try {
    const closed = new Promise<void>((resolve) => {
      stream.once('end', resolve)
      stream.once('close', resolve)
      stream.once('error', () => resolve())
    })
    input.pipe(stream)
    stream.pipe(output, { end: false })
    output.on('resize', resize)
    resize()
    await closed
  } finally {
    output.off('resize', resize)
    input.unpipe(stream)
    if (raw) input.setRawMode(false)
    input.pause()
    stream.destroy()
  }
  return exitCodeOf(exec)
}
