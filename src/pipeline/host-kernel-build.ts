import { loadBuildPatches } from './build-patches.ts'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { usageError } from '../core/errors.ts'
import type { Reporter } from '../core/events.ts'
import { parseFragment } from '../core/kconfig/fragment.ts'
import { makeMountSources } from '../effects/mounts.ts'
import type { HostKernelSpec, KernelSource } from '../core/spec/host-kernel-spec.ts'
import { isUrl } from '../core/spec/source-reference.ts'
import { checkDisk } from './disk-preflight.ts'
import { hostKernelSteps } from './host-kernel.ts'
import {
  hostCcache,
  hostKernelContext,
  type HostKernelContext,
  type HostKernelSettings,
} from './host-kernel/context.ts'
import { requireOutput } from './host-kernel/require-output.ts'
import { saveOptions } from './host-kernel/saved-options.ts'
import { loadHostFragments } from './host-kernel/fragments.ts'
import { requireKernel } from './host-kernel/source.ts'
import type { HostKernelStepId } from './host-kernel/step-ids.ts'
import { runSteps, type RunResult } from './run.ts'
import { underWorkLock } from './under-lock.ts'

export interface HostKernelRequest {
  readonly settings: HostKernelSettings
  readonly toolVersion: string
  readonly command: string
  readonly until: HostKernelStepId | undefined
  readonly signal: AbortSignal
  readonly report: Reporter
  readonly nowMs: () => number
}

export interface HostKernelResult extends RunResult {
  readonly context: HostKernelContext
}

/**
 * Runs the recipe under the lock of the work directory.
 * @throws whatever a step throws; a proof that failed is a result (see requireProofs)
 */
export async function buildHostKernel(request: HostKernelRequest): Promise<HostKernelResult> {
  return underWorkLock(request.settings, request, () => buildLocked(request))
}

const gib = 1024 ** 3

/** Unpacked source, objects and packages, measured; a distribution's configuration without debug information. */
const diskBytes = { small: 5 * gib, whole: 16 * gib } as const

async function buildLocked(request: HostKernelRequest): Promise<HostKernelResult> {
  const { settings, signal, report } = request
  const { spec, paths, user } = settings
  const context = hostKernelContext(settings, signal, (text) => report({ type: 'note', level: 'warn', text }))
  for (const text of settings.warnings) report({ type: 'note', level: 'warn', text })
  await checkGivenFiles(context)
  const isSmall = spec.config.kind === 'small' || spec.config.kind === 'micro'
  await checkDisk(
    {
      path: paths.work,
      bytes: isSmall ? diskBytes.small : diskBytes.whole,
      writes: [context.places.root, hostCcache(paths.work, spec.name), context.places.store],
      builtMark: join(context.stateDir, 'last/compile.json'),
    },
    signal,
  )
  // Before anything is fetched; a build that got this far may have nothing left to do but to look at records.
  if (!existsSync(join(context.stateDir, 'last/source.json'))) await settings.engine.require(signal)
  await makeMountSources({ mounts: [{ source: context.places.root, target: '' }], user, workDir: paths.work })
  await saveOptions(paths.work, spec)
  try {
    const result = await runSteps(hostKernelSteps(request.toolVersion), context, {
      stateDir: context.stateDir,
      signal,
      report,
      nowMs: request.nowMs,
      laterRecords: 'kept',
      ...(request.until === undefined ? {} : { until: request.until }),
    })
    return { ...result, context }
  } finally {
    await context.close()
  }
}

const textOf = (path: string): string | undefined =>
  statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path, 'utf8') : undefined

const localTarball = (source: KernelSource): string | undefined =>
  source.kind === 'tarball' && !isUrl(source.location) ? source.location : undefined

/** @throws usage E_SOURCE_MISSING | E_CONFIG_UNREADABLE | E_ZFS_PATH */
function requireFile(flag: keyof typeof missingCodes, path: string | undefined): void {
  if (path === undefined || existsSync(path)) return
  throw usageError(missingCodes[flag], `${flag}: ${path} does not exist`, { hint: `check ${flag}` })
}

const missingCodes = {
  '--config': 'E_CONFIG_UNREADABLE',
  '--zfs': 'E_ZFS_PATH',
  '--source': 'E_SOURCE_MISSING',
} as const

/** @throws usage E_CONFIG_WORD: the micro configuration has no modules, which ZFS and vfio-pci are */
function requireModules({ config, zfs, passthrough }: HostKernelSpec): void {
  const asked = [
    ...(zfs.kind === 'off' || zfs.kind === 'auto' ? [] : ['--zfs']),
    ...(passthrough.length > 0 ? ['--passthrough'] : []),
  ]
  if (config.kind !== 'micro' || asked.length === 0) return
  throw usageError('E_CONFIG_WORD', `--config micro has no modules, and ${asked.join(' and ')} needs them`, {
    hint: 'take --config small',
  })
}

/** A patch or fragment that is missing or broken is told before anything is fetched. */
async function checkGivenFiles(context: HostKernelContext): Promise<void> {
  const { config, zfs, source } = context.spec
  requireFile('--config', config.kind === 'file' ? config.path : undefined)
  requireFile('--zfs', zfs.kind === 'path' ? zfs.path : undefined)
  requireFile('--source', source.kind === 'tree' ? source.path : localTarball(source))
  // Any folder could be named by mistake, and fetching would read all of it first.
  if (source.kind === 'tree' && statSync(source.path).isDirectory()) {
    requireKernel((name) => textOf(join(source.path, name)), { text: source.path })
  }
  const tarball = localTarball(source)
  if (tarball !== undefined && !statSync(tarball).isFile()) {
    throw usageError('E_SOURCE_MISSING', `--source: ${tarball} is no file`, { hint: 'check --source' })
  }
  requireModules(context.spec)
  await requireOutput(context.paths.output)
  await loadBuildPatches(context.spec.patches, context.signal)
  for (const { text, file } of await loadHostFragments(context, context.zfsOn)) parseFragment(text, file)
}
