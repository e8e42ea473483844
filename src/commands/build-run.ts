import { usageError } from '../core/errors.ts'
import type { HostJob } from '../core/host/requirements.ts'
import type { BuildSettings } from '../pipeline/build-settings.ts'
import { installMissing } from '../pipeline/install-missing.ts'
import { confirm } from './confirm.ts'
import type { Io } from './io.ts'

/**
 * The step that --until names.
 * @throws usage E_STEP_UNKNOWN
 */
export function checkStep<Id extends string>(name: string | undefined, ids: readonly Id[]): Id | undefined {
  const step = ids.find((id) => id === name)
  if (name === undefined || step !== undefined) return step
  throw usageError('E_STEP_UNKNOWN', `there is no step ‘${name}’`, { hint: `steps: ${ids.join(', ')}` })
}

/** Installs what a build lacks before anything is built: what its engine needs, and these jobs. */
export async function installFor(
  { engine, paths }: BuildSettings,
  jobs: readonly HostJob[],
  io: Io,
): Promise<void> {
  const engineJobs: readonly HostJob[] = engine.kind === 'host' ? ['host-build'] : ['container', 'base-image']
  await installMissing({
    jobs: [...engineJobs, ...jobs],
    env: io.env,
    workDir: paths.work,
    signal: io.signal,
    onLine: (line) => io.stderr(`${line}\n`),
    terminal: io.stdin !== undefined,
    ...(io.stdin === undefined ? {} : { confirm: (question: string) => confirm(question, io) }),
  })
}
