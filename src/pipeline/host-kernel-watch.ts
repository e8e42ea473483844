import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { usageError } from '../core/errors.ts'
import type { Reporter } from '../core/events.ts'
import type { StepRecord } from '../core/step-record.ts'
import { resolveSource } from '../effects/git-mirror.ts'
import {
  hostKernelContext,
  hostStateDir,
  type HostKernelContext,
  type HostKernelSettings,
} from './host-kernel/context.ts'
import { debianSources } from './host-kernel/fetch-source.ts'
import { pinSource } from './host-kernel/source.ts'
import { underWorkLock } from './under-lock.ts'

export interface WatchRun {
  readonly command: string
  readonly signal: AbortSignal
  readonly report: Reporter
}

/** What was built last, and what there is now; both as the source step names them. */
export interface WatchResult {
  readonly built: string
  readonly offered: string
  readonly newer: boolean
}

/**
 * Looks whether the source that was built last has a newer version.
 * @throws usage E_WATCH_NOTHING before the first build, E_WATCH_SOURCE for a source that has no versions
 */
export async function lookForNewer(settings: HostKernelSettings, run: WatchRun): Promise<WatchResult> {
  const built = await builtSource(settings)
  return underWorkLock(settings, run, async () => {
    const context = hostKernelContext(settings, run.signal, (text) => note(run, text))
    try {
      const offered = await newestSource(context, run)
      return { built, offered, newer: offered !== built && (await isNewer(context, run, offered, built)) }
    } finally {
      await context.close()
    }
  })
}

/** From now on this source is built. */
export const takeNewer = (settings: HostKernelSettings, { offered }: WatchResult): Promise<void> =>
  pinSource(hostStateDir(settings.paths.work, settings.spec.name), offered)

const note = ({ report }: WatchRun, text: string, level: 'info' | 'warn' = 'warn'): void =>
  report({ type: 'note', level, text })

async function builtSource({ paths, spec }: HostKernelSettings): Promise<string> {
  const record = join(hostStateDir(paths.work, spec.name), 'last/source.json')
  if (existsSync(record)) {
    const { outputs } = JSON.parse(await readFile(record, 'utf8')) as StepRecord
    return (outputs as unknown as { readonly origin: { readonly id: string } }).origin.id
  }
  throw usageError('E_WATCH_NOTHING', `no kernel of this source was built in ${paths.work} yet`, {
    hint: 'build it first: fwbuild host-kernel with the same options',
  })
}

async function newestSource(context: HostKernelContext, run: WatchRun): Promise<string> {
  const { source } = context.spec
  if (source.kind === 'debian') {
    const apt = await context.apt({ line: () => {}, note: (text, level) => note(run, text, level) })
    const [best] = await debianSources(context, apt, source.series)
    return `${best?.name}=${best?.version}`
  }
  if (source.kind === 'git') {
    const options = {
      gitDir: join(context.paths.work, 'kernel.git'),
      signal: run.signal,
      offline: context.offline,
    }
    return (await resolveSource(source.location, source.ref, options)).commit
  }
  throw usageError('E_WATCH_SOURCE', 'a tree or a tarball has no newer versions to look for', {
    hint: 'watch a distribution (--source debian[:SERIES]) or a branch (--source URL#BRANCH)',
  })
}

/** A branch that moved is newer; of packages, dpkg knows which is. */
async function isNewer(
  context: HostKernelContext,
  run: WatchRun,
  offered: string,
  built: string,
): Promise<boolean> {
  const [offeredName = '', offeredVersion] = offered.split('=')
  const [builtName = '', builtVersion] = built.split('=')
  if (offeredVersion === undefined || builtVersion === undefined) return true
  const session = await context.session(() => {})
  const order = (a: string, b: string) =>
    session.exec(['dpkg', '--compare-versions', a, 'gt', b], { cwd: context.places.root, signal: run.signal })
  // linux-source-6.12 after linux-source-6.1: the series in the name counts first, as a version does.
  const series = await order(offeredName.replace('linux-source-', ''), builtName.replace('linux-source-', ''))
  if (offeredName !== builtName) return series.exitCode === 0
  return (await order(offeredVersion, builtVersion)).exitCode === 0
}
