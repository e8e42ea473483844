import type { Command } from 'commander'
import { usageError } from '../core/errors.ts'
import type { HostJob } from '../core/host/requirements.ts'
import { buildHostKernel } from '../pipeline/host-kernel-build.ts'
import type { HostKernelSettings } from '../pipeline/host-kernel/context.ts'
import { hostKernelStepIds, type HostKernelStepId } from '../pipeline/host-kernel/step-ids.ts'
import { installMissing } from '../pipeline/install-missing.ts'
import { addCommonOptions, addHostKernelOptions, addRunOptions } from './build-options.ts'
import { explainReruns } from './build-texts.ts'
import { confirm } from './confirm.ts'
import { hostKernelSettings } from './host-kernel-settings.ts'
import type { Io } from './io.ts'
import { readHostKernelLayers, type RunFlags } from './option-layers.ts'
import { toolVersion } from './project.ts'
import { reporterFor } from './reporter.ts'

/** `fwbuild host-kernel`: from source to packages whose kernel was seen to work. */
export function define(command: Command, io: Io): void {
  addRunOptions(addCommonOptions(addHostKernelOptions(command)))
    .addHelpText('after', `\nSteps for --until: ${hostKernelStepIds.join(', ')}`)
    .action(async () => {
      const { layers, run } = await readHostKernelLayers(command, io)
      const until = checkStep(run.until)
      const settings = await hostKernelSettings(layers, run, io)
      if (run.installMissing) await installFor(settings, io)
      await build(settings, run, until, io)
    })
}

function checkStep(name: string | undefined): HostKernelStepId | undefined {
  const step = hostKernelStepIds.find((id) => id === name)
  if (name === undefined || step !== undefined) return step
  throw usageError('E_STEP_UNKNOWN', `there is no step ‘${name}’`, {
    hint: `steps: ${hostKernelStepIds.join(', ')}`,
  })
}

async function installFor(settings: HostKernelSettings, io: Io): Promise<void> {
  const engineJobs: readonly HostJob[] =
    settings.engine.kind === 'host' ? ['host-build'] : ['container', 'base-image']
  const { spec } = settings
  await installMissing({
    jobs: [
      ...(spec.source.kind === 'git' ? (['clone'] as const) : []),
      ...engineJobs,
      ...(spec.boot ? (['boot'] as const) : []),
    ],
    env: io.env,
    workDir: settings.paths.work,
    signal: io.signal,
    onLine: (line) => io.stderr(`${line}\n`),
    terminal: io.stdin !== undefined,
    ...(io.stdin === undefined ? {} : { confirm: (question: string) => confirm(question, io) }),
  })
}

async function build(
  settings: HostKernelSettings,
  run: RunFlags,
  until: HostKernelStepId | undefined,
  io: Io,
): Promise<void> {
  const reporter = reporterFor(run, io)
  try {
    const result = await buildHostKernel({
      settings,
      toolVersion,
      until,
      command: 'fwbuild host-kernel',
      signal: io.signal,
      report: reporter.report,
      nowMs: () => Date.now(),
    })
    await reporter.close()
    if (run.explain) io.stderr(explainReruns(result.reruns))
  } finally {
    await reporter.close()
  }
}
