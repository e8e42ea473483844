import type { Duplex } from 'node:stream'

/** Who owns what a build writes; never root. */
export interface BuildUser {
  readonly uid: number
  readonly gid: number
}

export interface Mount {
  /** Absolute path on this machine. */
  readonly source: string
  /** Absolute path inside the session. */
  readonly target: string
  readonly readonly?: boolean
}

/** What all of a session may take of the machine, so that a build can't take it down. */
export interface SessionLimits {
  /** With what lies in /tmp, which may be half of it. */
  readonly memoryBytes: number
  readonly pids: number
  /** The user named one of them. */
  readonly asked: boolean
}

export interface SessionSpec {
  /** Buildroot image (ignored by the host engine). */
  readonly image: string
  readonly mounts: readonly Mount[]
  readonly env: Readonly<Record<string, string>>
  readonly user: BuildUser
  /** Work directory that owns the session: leftovers of a killed run are found by it. */
  readonly workDir: string
  /** Shown by `docker ps`, e.g. `openwrt-mini`. */
  readonly title: string
  /** Default: none. */
  readonly limits?: SessionLimits
  /** Told which limits this machine can't keep. */
  readonly note?: (text: string) => void
}

export interface ExecOptions {
  /** Directory on this machine, below one of the mounts. */
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** `online` only where a step downloads; everything else runs without a network. */
  readonly network?: 'offline' | 'online'
  readonly signal: AbortSignal
  readonly onLine?: (line: string, stream: 'out' | 'err') => void
  readonly timeoutMs?: number
}

export interface ExecResult {
  readonly exitCode: number
}

/** One container (or the bare host) for the length of a build. */
export interface Session extends AsyncDisposable {
  /**
   * Runs a program to its end with /dev/null as standard input; a non-zero exit is a result, not an error.
   * Aborting the signal stops the whole process tree and throws the cancelled error.
   */
  readonly exec: (argv: readonly string[], options: ExecOptions) => Promise<ExecResult>
  /** The path by which a file of this machine is known inside. */
  readonly inside: (hostPath: string) => string
  /** Interactive program on the user's terminal; resolves with its exit code. */
  readonly interactive: (argv: readonly string[], cwd: string, terminal: Terminal) => Promise<number>
}

export interface Terminal {
  readonly input: NodeJS.ReadStream
  readonly output: NodeJS.WriteStream | Duplex
}

export interface Engine {
  readonly kind: 'docker' | 'host'
  /** Throws what `open` would throw on a machine that cannot have sessions. */
  readonly require: (signal: AbortSignal) => Promise<void>
  /** Removes what a killed run of the same work directory left behind; returns what was removed. */
  readonly sweep: (workDir: string, signal: AbortSignal) => Promise<readonly string[]>
  readonly open: (spec: SessionSpec, signal: AbortSignal) => Promise<Session>
}
