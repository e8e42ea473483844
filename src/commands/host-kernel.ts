import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { usageError } from '../core/errors.ts'
import type { HostJob } from '../core/host/requirements.ts'
import { renderHostLock } from '../core/spec/host-lock.ts'
import { hostKernelSpec } from '../core/spec/host-kernel-spec.ts'
import { atomicWrite } from '../effects/files.ts'
import { buildHostKernel, type HostKernelResult } from '../pipeline/host-kernel-build.ts'
import { lookForNewer, type WatchResult } from '../pipeline/host-kernel-watch.ts'
import { requireProofs } from '../pipeline/host-kernel/boot.ts'
import type { HostKernelContext, HostKernelSettings } from '../pipeline/host-kernel/context.ts'
import { hostLockOf } from '../pipeline/host-kernel/manifest.ts'
import { savedOptions } from '../pipeline/host-kernel/saved-options.ts'
import { hostKernelStepIds, type HostKernelStepId } from '../pipeline/host-kernel/step-ids.ts'
import { hostKernelReport } from '../report/host-kernel.ts'
import { addCommonOptions, addHostKernelOptions, addRunOptions } from './build-options.ts'
import { checkStep, installFor } from './build-run.ts'
import { explainReruns, hostPlanText } from './build-texts.ts'
import { hostKernelSettings } from './host-kernel-settings.ts'
import type { Io } from './io.ts'
import { readHostKernelLayers, workDirOf, type RunFlags } from './option-layers.ts'
import { toolVersion } from './project.ts'
import { reporterFor } from './reporter.ts'

/** `fwbuild host-kernel`: from source to packages whose kernel was seen to work. */
export function define(command: Command, io: Io): void {
  addRunOptions(addCommonOptions(addHostKernelOptions(command)))
    .addHelpText('after', `\nSteps for --until: ${hostKernelStepIds.join(', ')}`)
    .action(async () => {
      const { layers, run } = await readHostKernelLayers(command, io)
      const until = checkStep(run.until, hostKernelStepIds)
      const settings = await hostKernelSettings(layers, run, io)
      if (run.dryRun) return io.stdout(hostPlanText(settings, until, run.json))
      if (run.installMissing) await installFor(settings, jobsOf(settings), io)
      await build(settings, run, until, io)
    })
  defineWatch(command, io)
}

function defineWatch(command: Command, io: Io): void {
  const watch = command
    .command('watch')
    .description('look for a newer kernel than the one built, and build it with the options of that build')
    .option('--check', 'only tell')
  addRunOptions(addCommonOptions(addHostKernelOptions(watch))).action(async () => {
    requireNothingAhead(command)
    const { layers, run } = await readHostKernelLayers(watch, io)
    const until = checkStep(run.until, hostKernelStepIds)
    const saved = await savedOptions(workDirOf(layers, io.env), hostKernelSpec(layers).name)
    // What is newer than the pins is looked for; the build writes new ones.
    const given = await hostKernelSettings([...layers, saved], run, io)
    const settings = { ...given, lock: undefined }
    if (run.installMissing) await installFor(settings, jobsOf(settings), io)
    const only = run.dryRun || watch.opts<{ check?: boolean }>().check === true
    const found = await look(settings, run, io)
    const { built, offered, newer } = found
    if (only && run.json) io.stdout(`${JSON.stringify(found, null, 2)}\n`)
    else io.stderr(newer ? `newer: ${offered} (built: ${built})\n` : `${built} is the newest\n`)
    if (only || !newer) return
    const context = await build({ ...settings, newer: offered }, run, until, io)
    if (given.lock !== undefined) await renewLock(context, lockPathOf(run.lock, io), io)
  })
}

/** commander keeps them with the command ahead, where `watch` would not see them. */
function requireNothingAhead(command: Command): void {
  const [given] = Object.keys(command.opts()).filter((name) => command.getOptionValueSource(name) === 'cli')
  if (given === undefined) return
  throw usageError('E_COMMAND_LINE', `--${given} stands ahead of watch`, {
    hint: 'write the options behind it: fwbuild host-kernel watch --option …',
  })
}

const lockPathOf = (given: string | undefined, io: Io): string =>
  resolve(io.cwd, given ?? 'fwbuild-host.lock')

/** Else the next build would go back to the old kernel. */
async function renewLock(context: HostKernelContext, path: string, io: Io): Promise<void> {
  await atomicWrite(path, renderHostLock(await hostLockOf(context)))
  io.stderr(`${path} pins the new kernel\n`)
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

const jobsOf = ({ spec, engine }: HostKernelSettings): readonly HostJob[] => [
  ...(engine.kind === 'host' ? (['host-packages'] as const) : []),
  ...(spec.source.kind === 'git' ? (['clone'] as const) : []),
  ...(spec.boot ? (['boot-kernel', 'prove-install'] as const) : []),
]

async function build(
  settings: HostKernelSettings,
  run: RunFlags,
  until: HostKernelStepId | undefined,
  io: Io,
): Promise<HostKernelContext> {
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
    return result.context
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
