import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { usageError } from '../core/errors.ts'
import type { HostJob } from '../core/host/requirements.ts'
import { buildHostKernel, type HostKernelResult } from '../pipeline/host-kernel-build.ts'
import { lookForNewer, takeNewer, type WatchResult } from '../pipeline/host-kernel-watch.ts'
import { requireProofs } from '../pipeline/host-kernel/boot.ts'
import type { HostKernelSettings } from '../pipeline/host-kernel/context.ts'
import { hostKernelStepIds, type HostKernelStepId } from '../pipeline/host-kernel/step-ids.ts'
import { installMissing } from '../pipeline/install-missing.ts'
import { hostKernelReport } from '../report/host-kernel.ts'
import { addCommonOptions, addHostKernelOptions, addRunOptions } from './build-options.ts'
import { explainReruns, hostPlanText } from './build-texts.ts'
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
      if (run.dryRun) return io.stdout(hostPlanText(settings, until))
      if (run.installMissing) await installFor(settings, io)
      await build(settings, run, until, io)
    })
  defineWatch(command, io)
}

function defineWatch(command: Command, io: Io): void {
  const watch = command
    .command('watch')
    .description('look for a newer kernel than the one built, and build it with the same options')
    .option('--check', 'only tell')
  addRunOptions(addCommonOptions(addHostKernelOptions(watch))).action(async () => {
    const { layers, run } = await readHostKernelLayers(watch, io)
    const until = checkStep(run.until)
    // What is newer than the pins is looked for; the build writes new ones.
    const settings = { ...(await hostKernelSettings(layers, run, io)), lock: undefined }
    const only = watch.opts<{ check?: boolean }>().check === true
    if (await watchFor(settings, only, run, io)) await build(settings, run, until, io)
  })
}

/** @returns whether there is something to build */
async function watchFor(
  settings: HostKernelSettings,
  only: boolean,
  run: RunFlags,
  io: Io,
): Promise<boolean> {
  const found = await look(settings, run, io)
  const { built, offered, newer } = found
  if (only && run.json) io.stdout(`${JSON.stringify(found, null, 2)}\n`)
  else io.stderr(newer ? `newer: ${offered} (built: ${built})\n` : `${built} is the newest\n`)
  if (only || !newer) return false
  await takeNewer(settings, found)
  return true
}

async function look(settings: HostKernelSettings, run: RunFlags, io: Io): Promise<WatchResult> {
  const reporter = reporterFor(run, io)
  try {
    const { report } = reporter
    return await lookForNewer(settings, { command: 'fwbuild host-kernel watch', signal: io.signal, report })
  } finally {
    await reporter.close()
  }
}

function checkStep(name: string | undefined): HostKernelStepId | undefined {
  const step = hostKernelStepIds.find((id) => id === name)
  if (name === undefined || step !== undefined) return step
  throw usageError('E_STEP_UNKNOWN', `there is no step ‘${name}’`, {
    hint: `steps: ${hostKernelStepIds.join(', ')}`,
  })
}

/** Before anything is built: every program that the whole job needs. */
async function installFor(settings: HostKernelSettings, io: Io): Promise<void> {
  const { spec, engine } = settings
  const engineJobs: readonly HostJob[] = engine.kind === 'host' ? ['host-build'] : ['container', 'base-image']
  await installMissing({
    jobs: [
      ...(spec.source.kind === 'git' ? (['clone'] as const) : []),
      ...engineJobs,
      ...(spec.boot ? (['boot-kernel'] as const) : []),
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
    await printResult(result, run, io)
    requireProofs(result.context)
  } finally {
    await reporter.close()
  }
}

/** The manifest with --json, else packages and proofs; nothing for a build that stopped before. */
async function printResult({ context, outcomes }: HostKernelResult, run: RunFlags, io: Io): Promise<void> {
  const { output } = context.paths
  if (!outcomes.has('manifest')) {
    if (run.json) io.stdout(`${JSON.stringify({ steps: Object.fromEntries(outcomes) }, null, 2)}\n`)
    return
  }
  if (run.json) io.stdout(await readFile(join(output, 'manifest.json'), 'utf8'))
  else io.stdout(`\n${hostKernelReport(context.found)}\n${output}\n`)
}
