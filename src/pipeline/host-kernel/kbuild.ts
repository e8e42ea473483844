import { buildError, infraError } from '../../core/errors.ts'
import { readKbuildLine, firstKbuildErrors } from '../../core/host/kbuild-output.ts'
import type { StepTools } from '../run.ts'
import type { HostKernelContext } from './context.ts'

export interface KbuildOptions {
  /** How many files the same targets made last time. */
  readonly expectedItems?: number
  readonly jobs?: number
}

/** Fixed, so that two builds of the same input are alike, whoever makes them and where. */
export function kbuildEnvironment(context: HostKernelContext): Readonly<Record<string, string>> {
  const { epoch } = context.found
  return {
    SOURCE_DATE_EPOCH: String(epoch),
    KBUILD_BUILD_TIMESTAMP: new Date(epoch * 1000).toUTCString(),
    KBUILD_BUILD_USER: 'fwbuild',
    KBUILD_BUILD_HOST: 'fwbuild',
    KBUILD_BUILD_VERSION: '1',
    // Kbuild appends it to the release; what is wanted is in the configuration.
    LOCALVERSION: '',
    KCONFIG_NOTIMESTAMP: '1',
  }
}

/** Words of a make run on the build's source and objects, as the session sees them. */
export async function kbuildCommand(
  context: HostKernelContext,
  words: readonly string[],
  tools: Pick<StepTools, 'line'>,
  jobs = context.jobs,
): Promise<readonly string[]> {
  const session = await context.session(tools.line)
  const { src, obj } = context.places
  return [
    'make',
    '-C',
    session.inside(src),
    `O=${session.inside(obj)}`,
    'ARCH=x86_64',
    'CC=ccache gcc',
    'HOSTCC=ccache gcc',
    `-j${jobs}`,
    ...words,
  ]
}

/**
 * One run of the kernel's make.
 * @returns number of files it made
 * @throws build error E_MAKE with the file that failed and its first error lines; infra E_DISK_FULL
 */
export async function kbuild(
  context: HostKernelContext,
  words: readonly string[],
  tools: StepTools,
  options: KbuildOptions = {},
): Promise<number> {
  const session = await context.session(tools.line)
  const argv = await kbuildCommand(context, words, tools, options.jobs)
  const kept: string[] = []
  let made = 0
  let failed: string | undefined
  let diskFull = false
  tools.line(`$ ${argv.join(' ')}`)
  const { exitCode } = await session.exec(argv, {
    cwd: context.places.root,
    env: kbuildEnvironment(context),
    signal: tools.signal,
    onLine: (line, stream) => {
      tools.line(line, stream)
      kept.push(line)
      if (kept.length > keptLines) kept.shift()
      const event = readKbuildLine(line)
      if (event?.type === 'disk-full') diskFull = true
      // A file says more than the target that was asked for.
      if (event?.type === 'failed' && event.item.includes('/')) failed ??= event.item
      if (event?.type !== 'made') return
      made += 1
      const total = options.expectedItems
      tools.progress({ item: event.item, done: made, ...(total === undefined ? {} : { total }) })
    },
  })
  if (exitCode === 0) return made
  if (diskFull) throw diskFullError(context)
  throw buildError(
    'E_MAKE',
    [
      `${failed ?? `make ${words.join(' ')}`} failed to build:`,
      ...firstKbuildErrors(kept).map((line) => `  ${line}`),
    ].join('\n'),
    { hint: `log: ${tools.logPath}\nthe tree: ${context.places.src}, its objects: ${context.places.obj}` },
  )
}

const keptLines = 4000

export const diskFullError = (context: HostKernelContext): Error =>
  infraError('E_DISK_FULL', `no space left on the disk of ${context.paths.work}`, {
    retryable: true,
    hint: 'free some space and run the same command again; it continues where it stopped',
  })
