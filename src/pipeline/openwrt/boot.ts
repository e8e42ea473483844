import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { BootResult } from '../../core/boot/boot-result.ts'
import { bootError } from '../../core/errors.ts'
import type { Json } from '../../core/json.ts'
import type { Artifact } from '../../core/manifest/artifact.ts'
import { proveBoot } from '../boot-image.ts'
import type { Step, StepTools } from '../run.ts'
import type { OpenwrtContext } from './context.ts'

type BootOutputs = { readonly boots: readonly { readonly path: string; readonly result: Json }[] }

/** More guests at once slow each other down until their time-outs strike. */
const parallelBoots = 2

/** Every image started in QEMU with the firmware it is for; the verdict goes beside each in the manifest. */
export const bootStep: Step<OpenwrtContext, BootOutputs> = {
  id: 'boot',
  title: 'Boot proof',
  inputs: async (context) => ({
    images: context.found.artifacts.map(({ path, sha256, firmware, format }) => ({
      path,
      sha256,
      firmware,
      format,
    })),
    hypervisors: [...context.spec.hypervisors],
    share9p: context.spec.shares.includes('9p'),
    boot: context.spec.boot,
    output: context.paths.output,
  }),
  run: async (context, tools) => {
    if (!context.spec.boot) return { boots: [] }
    const boots: { path: string; result: BootResult }[] = []
    const waiting = [...context.found.artifacts]
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        boots.push({ path: next.path, result: await boot(context, next, tools) })
        tools.progress({ item: next.path, done: boots.length, total: context.found.artifacts.length })
      }
    }
    await Promise.all(Array.from({ length: parallelBoots }, worker))
    boots.sort((a, b) => (a.path < b.path ? -1 : 1))
    return { boots: boots as unknown as BootOutputs['boots'] }
  },
  intact: async (context, outputs) =>
    outputs.boots.every(({ path }) => existsSync(join(context.paths.output, logName(path)))),
  adopt: (context, outputs) => {
    const results = new Map(outputs.boots.map(({ path, result }) => [path, result as unknown as BootResult]))
    context.found.artifacts = context.found.artifacts.map((artifact) =>
      withBoot(artifact, results.get(artifact.path)),
    )
  },
  summary: ({ boots }) => {
    const passed = boots.filter(({ result }) => (result as unknown as BootResult).status === 'passed').length
    return boots.length === 0 ? 'not asked for' : `${passed} of ${boots.length} passed`
  },
}

const withBoot = (artifact: Artifact, result: BootResult | undefined): Artifact =>
  result === undefined ? artifact : { ...artifact, boot: result }

const logName = (imagePath: string): string => `boot/${imagePath}.log`

async function boot(context: OpenwrtContext, artifact: Artifact, tools: StepTools): Promise<BootResult> {
  const result = await proveBoot({
    imagePath: join(context.paths.output, artifact.path),
    format: artifact.format,
    firmware: artifact.firmware,
    hypervisors: context.spec.hypervisors,
    share9p: context.spec.shares.includes('9p'),
    logPath: join(context.paths.output, logName(artifact.path)),
    signal: tools.signal,
    step: 'boot',
    report: (event) => {
      if (event.type === 'note') tools.note(`${artifact.path}: ${event.text}`, event.level)
      if (event.type === 'line') tools.line(event.text, event.stream)
    },
  })
  for (const check of result.checks)
    tools.line(`${artifact.path}: ${check.name}: ${check.status}: ${check.detail}`)
  return { ...result, serialLog: logName(artifact.path) }
}

/** @throws boot error that names each image and what it did not show */
export function requireBoots(context: OpenwrtContext): void {
  const failed = context.found.artifacts.filter((artifact) => artifact.boot?.status === 'failed')
  if (failed.length === 0) return
  const lines = failed.map(({ path, boot: result }) => {
    const checks = (result?.checks ?? []).filter((check) => check.status === 'failed')
    return `  ${path}: ${checks.map((check) => `${check.name} (${check.detail})`).join('; ')}`
  })
  throw bootError('E_BOOT_FAILED', `${failed.length} images did not prove themselves:\n${lines.join('\n')}`, {
    hint: `serial logs: ${join(context.paths.output, 'boot')}`,
  })
}
