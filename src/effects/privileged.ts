import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cancelledError, infraError } from '../core/errors.ts'
import { runProcess } from './process.ts'

export interface PrivilegedOptions {
  readonly signal: AbortSignal
  readonly onLine: (line: string) => void
  /** sudo may ask for a password on the terminal of this process. */
  readonly terminal: boolean
}

/**
 * Runs an administrator's command: directly as root, else through sudo.
 * @param env variables for the command, which sudo would otherwise drop
 * @returns its exit code
 * @throws infra E_NOT_ROOT, E_PROGRAM_MISSING, cancelled
 */
export async function runPrivileged(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  options: PrivilegedOptions,
): Promise<number> {
  const { signal, onLine, terminal } = options
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  if (process.getuid?.() === 0) {
    return (await runProcess(['env', ...assignments, ...argv], { signal, onLine })).exitCode
  }
  if (!terminal) {
    await requireSilentSudo(argv, signal)
    return (await runProcess(['sudo', '-n', 'env', ...assignments, ...argv], { signal, onLine })).exitCode
  }
  // sudo keeps its ticket by terminal and asks on it, so it has to stay in our session.
  const child = spawn('sudo', ['env', ...assignments, ...argv], { stdio: 'inherit', signal })
  try {
    const [code] = (await once(child, 'exit')) as [number | null]
    return code ?? 1
  } catch (error) {
    if (signal.aborted) throw cancelledError()
    throw notRoot(argv, error)
  }
}

async function requireSilentSudo(argv: readonly string[], signal: AbortSignal): Promise<void> {
  try {
    const { exitCode } = await runProcess(['sudo', '-n', 'true'], { signal })
    if (exitCode === 0) return
  } catch (error) {
    if (signal.aborted) throw error
    throw notRoot(argv, error)
  }
  throw notRoot(argv, undefined)
}

const notRoot = (argv: readonly string[], cause: unknown): Error =>
  infraError('E_NOT_ROOT', `${argv[0]} needs root, and sudo does not give it without a password`, {
    hint: `Run as root: ${argv.join(' ')}`,
    cause,
    retryable: true,
  })
