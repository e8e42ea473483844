/** Everything a command may touch of the process it runs in; tests pass their own. */
export interface Io {
  /** Results only (documents, patches, JSON). */
  readonly stdout: (text: string) => void
  /** The talk: progress, notes, errors. */
  readonly stderr: (text: string) => void
  readonly stdin: NodeJS.ReadStream | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly stdoutIsTty: boolean
  readonly stderrIsTty: boolean
  /** Aborted at the first interrupt. */
  readonly signal: AbortSignal
}
