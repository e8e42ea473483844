/** Everything a command may touch of the process it runs in; tests pass their own. */
export interface Io {
  /** Results only: as bytes a document that has to stay as it is, else text for people or JSON. */
  readonly stdout: (text: string | Uint8Array) => void
  /** The talk: progress, notes, errors. */
  readonly stderr: (text: string) => void
  readonly stdin: NodeJS.ReadStream | undefined
  /**
   * Everything that comes on standard input, at most so much; rejects when `signal` comes first. undefined when that is
   * a terminal.
   */
  readonly readInput: ((maxBytes: number) => Promise<Uint8Array>) | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly stdoutIsTty: boolean
  /** Width of the terminal, where there is one. */
  readonly stdoutColumns: number | undefined
  readonly stderrIsTty: boolean
  /** Aborted at the first interrupt. */
  readonly signal: AbortSignal
}
