import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Reporter } from '../core/events.ts'
import { trustDomain } from '../core/spec/trust-domain.ts'
import { checkDisk } from './disk-preflight.ts'
import { openwrtSteps } from './openwrt.ts'
import type { OpenwrtStepId } from './openwrt/step-ids.ts'
import { parseFragment } from '../core/kconfig/fragment.ts'
import { openwrtContext, type OpenwrtContext, type OpenwrtSettings } from './openwrt/context.ts'
import { dropForeignTree } from './openwrt/foreign-tree.ts'
import { loadFragments } from './openwrt/fragments.ts'
import { loadOpenwrtPatches } from './openwrt/patch.ts'
import { placesOf } from './openwrt/places.ts'
import { runSteps, type RunResult } from './run.ts'
import { underWorkLock } from './under-lock.ts'

export interface BuildRequest {
  readonly settings: OpenwrtSettings
  readonly toolVersion: string
  readonly command: string
  readonly until: OpenwrtStepId | undefined
  readonly signal: AbortSignal
  readonly report: Reporter
  readonly nowMs: () => number
}

export interface BuildResult extends RunResult {
  readonly context: OpenwrtContext
}

/**
 * Runs the recipe under the lock of the work directory.
 * @throws whatever a step throws; an image that did not prove itself is a result (see requireBoots)
 */
export async function buildOpenwrt(request: BuildRequest): Promise<BuildResult> {
  return underWorkLock(request.settings, request, () => buildLocked(request))
}

async function buildLocked(request: BuildRequest): Promise<BuildResult> {
  const { settings, signal, report } = request
  const { paths, spec, engine } = settings
  const domain = trustDomain(spec)
  const { tree, stateDir, ccache, dl } = placesOf(paths, domain)
  const tell = (text: string): void => report({ type: 'note', level: 'warn', text })
  await dropForeignTree(settings, domain, { signal, tell })
  if (request.until === undefined || compileSteps.has(request.until)) {
    await checkDisk(
      {
        path: paths.work,
        bytes: spec.release.diskBytes,
        writes: [tree, ccache, dl],
        builtMark: join(stateDir, 'last/compile.json'),
      },
      signal,
    )
  }
  // Before hours of downloads; a build that got this far may have nothing left to do but to look at records.
  const untilSources = request.until !== undefined && sourceSteps.has(request.until)
  if (!untilSources && !existsSync(join(stateDir, 'last/feeds.json'))) await engine.require(signal)
  const context = await openwrtContext(settings, signal, tell)
  await checkGivenFiles(context)
  try {
    const result = await runSteps(openwrtSteps(request.toolVersion), context, {
      stateDir,
      signal,
      report,
      nowMs: request.nowMs,
      ...(request.until === undefined ? {} : { until: request.until }),
    })
    return { ...result, context }
  } finally {
    await context.close()
  }
}

/** A patch or fragment that is missing or broken is told before anything is fetched. */
async function checkGivenFiles(context: OpenwrtContext): Promise<void> {
  await loadOpenwrtPatches(context)
  for (const { text, file } of await loadFragments(context)) parseFragment(text, file)
}

/** They need no session. */
const sourceSteps: ReadonlySet<string> = new Set(['source', 'merge', 'patch'])
const compileSteps: ReadonlySet<string> = new Set(['kernel-config', 'compile', 'images', 'boot', 'manifest'])
