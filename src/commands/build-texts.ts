import { canonicalJson, type Json } from '../core/json.ts'
import { kernelSourceText } from '../core/spec/host-kernel-spec.ts'
import { hostKernelArguments, openwrtArguments, shellWord } from '../core/manifest/reproduce.ts'
import type { HostKernelSettings } from '../pipeline/host-kernel/context.ts'
import { hostKernelStepIds, type HostKernelStepId } from '../pipeline/host-kernel/step-ids.ts'
import { openwrtStepIds, type OpenwrtStepId } from '../pipeline/openwrt/step-ids.ts'
import type { OpenwrtSettings } from '../pipeline/openwrt/context.ts'
import type { Rerun } from '../pipeline/run.ts'

interface Plan {
  readonly paths: { readonly work: string; readonly output: string }
  readonly engine: { readonly kind: string }
}

/** What `--dry-run --json` prints; `command` builds the same. */
const planJson = (
  { paths: { work, output }, engine }: Plan,
  steps: readonly string[],
  command: readonly string[],
): string => canonicalJson({ work, output, engine: engine.kind, steps, command: ['fwbuild', ...command] })

/** The steps of a run; without `until` all of them. */
const stepsUntil = <Id extends string>(ids: readonly Id[], until: Id | undefined): readonly Id[] =>
  ids.slice(0, until === undefined ? undefined : ids.indexOf(until) + 1)

/** What `--dry-run` prints. */
export function planText(settings: OpenwrtSettings, until: OpenwrtStepId | undefined, json: boolean): string {
  const { spec, paths, engine } = settings
  const steps = stepsUntil(openwrtStepIds, until)
  const words = ['openwrt', ...openwrtArguments(spec)]
  if (json) return planJson(settings, steps, words)
  return [
    `release   ${spec.release.name}: ${spec.release.title}, Linux ${spec.release.kernel}`,
    `work      ${paths.work}`,
    `output    ${paths.output}`,
    `engine    ${engine.kind}, ${settings.jobs} jobs${settings.offline ? ', offline' : ''}`,
    `steps     ${steps.join(' → ')}`,
    `the same  fwbuild ${words.map(shellWord).join(' ')}`,
    '',
  ].join('\n')
}

/** What `--dry-run` prints for a host kernel. */
export function hostPlanText(
  settings: HostKernelSettings,
  until: HostKernelStepId | undefined,
  json: boolean,
): string {
  const { spec, paths, engine } = settings
  const steps = stepsUntil(hostKernelStepIds, until)
  const words = ['host-kernel', ...hostKernelArguments(spec)]
  if (json) return planJson(settings, steps, words)
  return [
    `source    ${kernelSourceText(spec.source)}${spec.source.kind === 'debian' ? ` (this machine: ${settings.hostSuite})` : ''}`,
    `config    ${spec.config.kind === 'file' ? spec.config.path : spec.config.kind}`,
    `acs       ${spec.acs}`,
    `zfs       ${settings.zfsOn ? 'on' : 'off'}`,
    `work      ${paths.work}`,
    `output    ${paths.output}`,
    `engine    ${engine.kind}, ${settings.jobs} jobs${settings.offline ? ', offline' : ''}`,
    `steps     ${steps.join(' → ')}`,
    `the same  fwbuild ${words.map(shellWord).join(' ')}`,
    '',
  ].join('\n')
}

const shown = (value: Json | undefined): string => (value === undefined ? '(nothing)' : JSON.stringify(value))

/** What `--explain` prints: the inputs in which a step that ran again differs from its last run. */
export function explainReruns(reruns: readonly Rerun[]): string {
  if (reruns.length === 0) return 'no step ran again that had run before\n'
  return reruns
    .map(({ step, outputsGone, differences }) => {
      if (outputsGone) return `${step} ran again: what it had made is gone or was changed\n`
      if (differences.length === 0)
        return `${step} ran again: this fwbuild does it otherwise than the one before\n`
      const lines = differences.map(
        ({ path, before, after }) => `  ${path}: ${shown(before)} → ${shown(after)}\n`,
      )
      return `${step} ran again, its inputs differ:\n${lines.join('')}`
    })
    .join('')
}
