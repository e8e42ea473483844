import { runCli } from '../../src/commands/main.ts'

export interface CliResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal
  /** Sees what is written to stderr while the command runs. */
  readonly onStderr?: (text: string) => void
  readonly input?: string
}

/** Runs the whole command line in this process, as a user without a terminal would. */
export async function cli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  let stdout = ''
  let stderr = ''
  const exitCode = await runCli(args, {
    stdout: (text) => void (stdout += typeof text === 'string' ? text : Buffer.from(text).toString()),
    stderr: (text) => {
      stderr += text
      options.onStderr?.(text)
    },
    stdin: undefined,
    readInput: () => Promise.resolve(Buffer.from(options.input ?? '')),
    env: options.env ?? callersEnv(),
    cwd: options.cwd ?? process.cwd(),
    stdoutIsTty: false,
    stdoutColumns: undefined,
    stderrIsTty: false,
    signal: options.signal ?? new AbortController().signal,
  })
  return { exitCode, stdout, stderr }
}

/** Without settings of whoever runs the tests. */
const callersEnv = (): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('FWBUILD_')))
