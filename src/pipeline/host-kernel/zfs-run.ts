import { tellsDiskFull } from '../../core/disk-full.ts'
import { buildError, infraError } from '../../core/errors.ts'
import { explainZfsFailure, zfsErrorLines } from '../../core/host/zfs-failures.ts'
import type { ZfsBuild } from './zfs-build.ts'

/** Enough to find the first error in a parallel make that goes on for a while. */
const keptLines = 20_000

export interface ZfsProgram {
  readonly cwd: string
  /** For messages, e.g. `configure of ZFS`. */
  readonly what: string
  readonly env?: Readonly<Record<string, string>>
  readonly onLine?: (line: string) => void
}

/**
 * Runs one program of the ZFS build, all output to the log.
 * @throws build E_ZFS_BUILD with the cause in words where it is known, its first lines and the log;
 *   infra E_DISK_FULL
 */
export async function runZfsProgram(
  { session, tools }: Pick<ZfsBuild, 'session' | 'tools'>,
  argv: readonly string[],
  program: ZfsProgram,
): Promise<void> {
  const lines: string[] = []
  tools.line(`$ ${argv.join(' ')}`)
  const { exitCode } = await session.exec(argv, {
    cwd: program.cwd,
    signal: tools.signal,
    ...(program.env === undefined ? {} : { env: program.env }),
    onLine: (line, stream) => {
      tools.line(line, stream)
      if (lines.length < keptLines) lines.push(line)
      program.onLine?.(line)
    },
  })
  if (exitCode === 0) return
  if (lines.some(tellsDiskFull)) {
    throw infraError('E_DISK_FULL', `no space left while ZFS was built in ${program.cwd}`, {
      hint: 'free some space and run the same command again; it continues where it stopped',
      retryable: true,
    })
  }
  const known = explainZfsFailure(lines)
  const message = [
    known === undefined ? `${program.what} failed:` : `${program.what} failed: ${known.what}`,
    ...zfsErrorLines(lines).map((line) => `  ${line}`),
  ]
  const fragment = known?.fragment ?? []
  throw buildError('E_ZFS_BUILD', message.join('\n'), {
    hint: [
      ...(fragment.length === 0
        ? []
        : ['put these lines into a file and give it with --fragment:', ...fragment.map((l) => `  ${l}`)]),
      ...(known?.advice === undefined ? [] : [known.advice]),
      `log: ${tools.logPath}`,
    ].join('\n'),
  })
}
