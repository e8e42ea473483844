import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { HostJob } from '../core/host/requirements.ts'
import { openwrtStepIds, type OpenwrtStepId } from '../pipeline/openwrt/step-ids.ts'
import { buildOpenwrt, type BuildResult } from '../pipeline/openwrt-build.ts'
import { requireBoots } from '../pipeline/openwrt/boot.ts'
import type { OpenwrtSettings } from '../pipeline/openwrt/context.ts'
import { artifactTable } from '../report/result-table.ts'
import { addCommonOptions, addOpenwrtOptions, addRunOptions } from './build-options.ts'
import { readLayers, type RunFlags } from './option-layers.ts'
import type { Io } from './io.ts'
import { openwrtSettings } from './openwrt-settings.ts'
import { toolVersion } from './project.ts'
import { checkStep, installFor } from './build-run.ts'
import { explainReruns, planText } from './build-texts.ts'
import { reporterFor } from './reporter.ts'

/** `fwbuild openwrt`: from sources to images that booted. */
export function define(command: Command, io: Io): void {
  addRunOptions(addCommonOptions(addOpenwrtOptions(command)))
    .addHelpText('after', `\nSteps for --until: ${openwrtStepIds.join(', ')}`)
    .action(async () => {
      const { layers, run } = await readLayers(command, io)
      const until = checkStep(run.until, openwrtStepIds)
      const settings = await openwrtSettings(layers, run, io)
      if (run.dryRun) return io.stdout(planText(settings, until, run.json))
      if (run.installMissing) await installFor(settings, jobsOf(settings), io)
      await build(settings, run, until, io)
    })
}

const jobsOf = ({ spec }: OpenwrtSettings): readonly HostJob[] => [
  'clone',
  'convert',
  ...(spec.boot ? (['boot'] as const) : []),
]

async function build(
  settings: OpenwrtSettings,
  run: RunFlags,
  until: OpenwrtStepId | undefined,
  io: Io,
): Promise<void> {
  const reporter = reporterFor(run, io)
  try {
    const result = await buildOpenwrt({
      settings,
      toolVersion,
      until,
      command: 'fwbuild openwrt',
      signal: io.signal,
      report: reporter.report,
      nowMs: () => Date.now(),
    })
    await reporter.close()
    if (run.explain) io.stderr(explainReruns(result.reruns))
    await printResult(result, run, io)
    requireBoots(result.context)
  } finally {
    await reporter.close()
  }
}

/** The manifest with --json, else the table of images and proofs; nothing for a build that stopped before. */
async function printResult({ context, outcomes }: BuildResult, run: RunFlags, io: Io): Promise<void> {
  const { output } = context.paths
  if (!outcomes.has('manifest')) {
    if (run.json) io.stdout(`${JSON.stringify({ steps: Object.fromEntries(outcomes) }, null, 2)}\n`)
    return
  }
  if (run.json) io.stdout(await readFile(join(output, 'manifest.json'), 'utf8'))
  else io.stdout(`\n${artifactTable(context.found.artifacts)}\n${output}\n`)
}
