import { tellsDiskFull } from '../../core/disk-full.ts'
import { infraError } from '../../core/errors.ts'
import type { ExecOptions, Session } from '../../effects/engine.ts'

/** Enough for what the small programs asked here print; more would be a mistake of the caller. */
const mostLines = 100_000

export interface SessionOutput {
  readonly exitCode: number
  readonly out: readonly string[]
  readonly err: readonly string[]
}

/** Runs a program and keeps the lines it prints; a non-zero exit is a result. */
export async function sessionOutput(
  session: Session,
  argv: readonly string[],
  options: Omit<ExecOptions, 'onLine'>,
): Promise<SessionOutput> {
  const lines: Record<'out' | 'err', string[]> = { out: [], err: [] }
  const onLine = (line: string, stream: 'out' | 'err'): void => {
    if (lines[stream].length < mostLines) lines[stream].push(line)
  }
  const { exitCode } = await session.exec(argv, { ...options, onLine })
  return { exitCode, ...lines }
}

/**
 * The same for a program that has no reason to fail but the machine's.
 * @returns lines of its standard output
 * @throws infra E_DISK_FULL | E_SESSION_PROGRAM
 */
export async function requireSuccess(
  session: Session,
  argv: readonly string[],
  options: Omit<ExecOptions, 'onLine'>,
): Promise<readonly string[]> {
  const { exitCode, out, err } = await sessionOutput(session, argv, options)
  if (exitCode === 0) return out
  const last = err.slice(-4)
  if (last.some(tellsDiskFull)) {
    throw infraError('E_DISK_FULL', `no space left while ${argv[0]} wrote below ${options.cwd}`, {
      hint: 'free some space and run the same command again; it continues where it stopped',
      retryable: true,
    })
  }
  throw infraError(
    'E_SESSION_PROGRAM',
    [`${argv.join(' ')} ended with ${exitCode}`, ...last.map((line) => `  ${line}`)].join('\n'),
    { retryable: false },
  )
}
