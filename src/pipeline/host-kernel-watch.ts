import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { usageError } from '../core/errors.ts'
import type { Reporter } from '../core/events.ts'
import { compareDebVersions } from '../core/host/deb-version.ts'
import type { StepRecord } from '../core/step-record.ts'
import { resolveSource } from '../effects/git-mirror.ts'
import {
  hostKernelContext,
  hostStateDir,
  type HostKernelContext,
  type HostKernelSettings,
} from './host-kernel/context.ts'
import { debianSources } from './host-kernel/fetch-source.ts'
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
      return { built, offered, newer: isNewer(offered, built) }
    } finally {
      await context.close()
    }
  })
}

const note = ({ report }: WatchRun, text: string, level: 'info' | 'warn' = 'warn'): void =>
  report({ type: 'note', level, text })

async function builtSource({ paths, spec }: HostKernelSettings): Promise<string> {
  const record = join(hostStateDir(paths.work, spec.name), 'last/deliver.json')
  if (existsSync(record)) {
    const { outputs } = JSON.parse(await readFile(record, 'utf8')) as StepRecord
    return (outputs as unknown as { readonly source: string }).source
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

/** A branch that moved is newer; of packages the series in the name counts first, then the version. */
function isNewer(offered: string, built: string): boolean {
  const [offeredName = '', offeredVersion] = offered.split('=')
  const [builtName = '', builtVersion] = built.split('=')
  if (offeredVersion === undefined || builtVersion === undefined) return offered !== built
  return (compareDebVersions(offeredName, builtName) || compareDebVersions(offeredVersion, builtVersion)) > 0
}
