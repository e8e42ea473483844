import { join } from 'node:path'
import { buildError, infraError } from '../../core/errors.ts'
import { shellWord } from '../../core/manifest/reproduce.ts'
import { referenceText } from '../../core/spec/source-reference.ts'
import { firstErrorLines, readMakeLine } from '../../core/openwrt/make-output.ts'
import { freeDiskBytes } from '../../effects/files.ts'
import type { StepTools } from '../run.ts'
import type { OpenwrtContext } from './context.ts'

/** Without it each missing archive costs half a minute of retries against a network that is not there. */
export const offlineDownloads: readonly string[] = ['CONFIG_DOWNLOAD_TOOL_CUSTOM=false']

export interface MakeOptions {
  readonly network?: 'online'
  /** Extra `NAME=value` settings. */
  readonly settings?: readonly string[]
  /** How many items the same targets made last time. */
  readonly expectedItems?: number
}

/**
 * One make run in the tree.
 * On failure the failing item is made once more, alone and verbose, so that the cause stands at the end.
 * @returns number of items (packages, tools, …) that make went through
 * @throws build error with the item, its first error lines, the log and the command to reproduce
 */
export async function make(
  context: OpenwrtContext,
  targets: readonly string[],
  tools: StepTools,
  options: MakeOptions = {},
): Promise<number> {
  const seen = new Set<string>()
  let failedItem: string | undefined
  let diskFull = false
  const onLine = (line: string, stream: 'out' | 'err'): void => {
    tools.line(line, stream)
    const event = readMakeLine(line)
    if (event === undefined) return
    if (event.type === 'disk-full') diskFull = true
    else if (event.type === 'failed') failedItem ??= event.item
    else if (event.type === 'begin') {
      seen.add(`${event.item}/${event.target}`)
      const total = options.expectedItems
      tools.progress({ item: event.item, done: seen.size, ...(total === undefined ? {} : { total }) })
    }
  }
  const argv = ['make', `-j${context.jobs}`, ...targets, ...(options.settings ?? [])]
  const exitCode = await runInTree(context, argv, tools, onLine, options.network)
  if (exitCode === 0) return seen.size
  if (diskFull) throw await diskFullError(context)
  throw await explainFailure(context, targets, failedItem, tools, options)
}

/** Runs a program at the root of the tree, named in the step’s log; its exit code is a result. */
export async function runInTree(
  context: OpenwrtContext,
  argv: readonly string[],
  tools: StepTools,
  onLine: (line: string, stream: 'out' | 'err') => void,
  network?: 'online',
): Promise<number> {
  const session = await context.session((text) => tools.line(text))
  tools.line(`$ ${argv.join(' ')}`)
  const { exitCode } = await session.exec(argv, {
    cwd: context.tree,
    signal: tools.signal,
    onLine,
    ...(network === undefined ? {} : { network }),
  })
  return exitCode
}

const keptLines = 4000

async function explainFailure(
  context: OpenwrtContext,
  targets: readonly string[],
  failedItem: string | undefined,
  tools: StepTools,
  options: MakeOptions,
): Promise<Error> {
  const again = rerunTargets(targets, failedItem)
  tools.progress({ item: `${failedItem ?? targets.join(' ')} failed; once more, verbose` })
  const lines: string[] = []
  let diskFull = false
  const onLine = (line: string, stream: 'out' | 'err'): void => {
    tools.line(line, stream)
    diskFull ||= readMakeLine(line)?.type === 'disk-full'
    lines.push(line)
    if (lines.length > keptLines) lines.shift()
  }
  const argv = ['make', ...again, 'V=s', '-j1', ...(options.settings ?? [])]
  const exitCode = await runInTree(context, argv, tools, onLine, options.network)
  if (diskFull) return diskFullError(context)
  const reproduce = ['./fwbuild', 'shell', ...sessionFlags(context), '--', ...argv].map(shellWord).join(' ')
  const what = failedItem ?? `make ${targets.join(' ')}`
  if (exitCode === 0) {
    return buildError('E_MAKE_PARALLEL', `${what} failed in the parallel build, but not when made alone`, {
      hint: `run the same command again; log: ${tools.logPath}`,
    })
  }
  return buildError(
    'E_MAKE',
    [`${what} failed to build:`, ...firstErrorLines(lines).map((line) => `  ${line}`)].join('\n'),
    {
      hint: [
        ...downloadHints(context, targets, lines),
        `log: ${tools.logPath}`,
        `reproduce: ${reproduce}`,
      ].join('\n'),
    },
  )
}

/** The network is the likeliest cause of a download that fails, unless it says otherwise. */
function downloadHints(
  { offline, paths, places: { dl }, user }: OpenwrtContext,
  targets: readonly string[],
  lines: readonly string[],
): readonly string[] {
  if (!targets.includes('download')) return []
  if (lines.some((line) => line.endsWith(': Permission denied'))) {
    return [
      `the build runs as user ${user.uid} and may not write to ${dl}: chown -R ${user.uid}:${user.gid} ${shellWord(dl)}`,
    ]
  }
  return [
    offline
      ? `--offline was given and ${paths.dl} lacks this: run once without it, or name archives with --dl DIR`
      : `a network or server that failed: run the same command again, or put the archive into ${paths.dl}`,
  ]
}

/** Flags that lead `fwbuild shell` to the tree and the session of this build. */
function sessionFlags({ spec, engine, paths }: OpenwrtContext): readonly string[] {
  const dl = paths.dl === join(paths.work, 'dl') ? [] : ['--dl', paths.dl]
  const sources = [
    ...(spec.source === undefined ? [] : ['--source', referenceText(spec.source)]),
    ...spec.merges.flatMap((merge) => ['--merge', referenceText(merge)]),
  ]
  return ['--release', spec.release.name, ...sources, '--engine', engine.kind, '--work', paths.work, ...dl]
}

/** The failing item alone; what was asked for where that is the item itself, or none was named. */
function rerunTargets(targets: readonly string[], failedItem: string | undefined): readonly string[] {
  if (failedItem === undefined || targets.some((target) => target.startsWith(`${failedItem}/`)))
    return targets
  return [`${failedItem}/${targets.includes('download') ? 'download' : 'compile'}`]
}

/** How much is free tells whether it is this disk at all, and not Docker's own. */
async function diskFullError({ paths, spec }: OpenwrtContext): Promise<Error> {
  const freeMib = Math.floor((await freeDiskBytes(paths.work)) / 1024 ** 2)
  const needGib = (spec.release.diskBytes / 1024 ** 3).toFixed(0)
  return infraError('E_DISK_FULL', `no space left on the disk of ${paths.work} (${freeMib} MiB are free)`, {
    retryable: true,
    hint: [
      `A whole build of ${spec.release.name} needs about ${needGib} GiB. Free some space and run the same command again;`,
      'it continues where it stopped. `fwbuild clean --release NAME` removes what another release’s build left.',
    ].join('\n'),
  })
}
