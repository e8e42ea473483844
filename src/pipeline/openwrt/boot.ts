import { join } from 'node:path'
import type { BootResult } from '../../core/boot/boot-result.ts'
import { bootError } from '../../core/errors.ts'
import type { Firmware } from '../../core/image/image-names.ts'
import type { Json } from '../../core/json.ts'
import type { Artifact } from '../../core/manifest/artifact.ts'
import { isFileBeneath } from '../../effects/beneath/read.ts'
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
  version: 2,
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
    const boots: Proof[] = []
    const waiting = context.found.artifacts.flatMap((artifact) => bootsOf(artifact))
    const total = waiting.length
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        boots.push({ path: next.artifact.path, result: await boot(context, next, tools) })
        tools.progress({ item: next.artifact.path, done: boots.length, total })
      }
    }
    await Promise.all(Array.from({ length: parallelBoots }, worker))
    boots.sort((a, b) => (a.result.serialLog < b.result.serialLog ? -1 : 1))
    return { boots: boots as unknown as BootOutputs['boots'] }
  },
  // What failed is tried again: the cause may have been this machine and not the image.
  intact: async (context, outputs) =>
    proofsOf(outputs).every(
      ({ result }) => result.status === 'passed' && isFileBeneath(context.paths.output, result.serialLog),
    ),
  adopt: (context, outputs) => {
    const proofs = proofsOf(outputs)
    context.found.artifacts = context.found.artifacts.map((artifact) => withProofs(artifact, proofs))
  },
  summary: (outputs) => {
    const proofs = proofsOf(outputs)
    const passed = proofs.filter(({ result }) => result.status === 'passed').length
    return proofs.length === 0 ? 'not asked for' : `${passed} of ${proofs.length} passed`
  },
}

interface Proof {
  readonly path: string
  readonly result: BootResult
}

const proofsOf = (outputs: BootOutputs): readonly Proof[] => outputs.boots as unknown as readonly Proof[]

interface Start {
  readonly artifact: Artifact
  readonly firmware: Firmware
}

/** Each image with its own firmware; upstream's EFI images hold a BIOS boot loader too. */
function bootsOf(artifact: Artifact): readonly Start[] {
  const own: Start = { artifact, firmware: artifact.firmware }
  const hybrid = artifact.firmware === 'uefi' && artifact.path.includes('-combined-efi')
  return hybrid ? [own, { artifact, firmware: 'bios' }] : [own]
}

function withProofs(artifact: Artifact, proofs: readonly Proof[]): Artifact {
  const find = (firmware: Firmware): BootResult | undefined =>
    proofs.find(({ path, result }) => path === artifact.path && result.firmware === firmware)?.result
  const own = find(artifact.firmware)
  const bios = artifact.firmware === 'uefi' ? find('bios') : undefined
  return {
    ...artifact,
    ...(own === undefined ? {} : { boot: own }),
    ...(bios === undefined ? {} : { biosBoot: bios }),
  }
}

async function boot(
  context: OpenwrtContext,
  { artifact, firmware }: Start,
  tools: StepTools,
): Promise<BootResult> {
  const serialLog = `boot/${artifact.path}.${firmware}.log`
  const result = await proveBoot({
    imagePath: join(context.paths.output, artifact.path),
    format: artifact.format,
    firmware,
    hypervisors: context.spec.hypervisors,
    share9p: context.spec.shares.includes('9p'),
    logPath: join(context.paths.output, serialLog),
    signal: tools.signal,
    as: context.user,
    step: 'boot',
    report: (event) => {
      if (event.type === 'note') tools.note(`${artifact.path}: ${event.text}`, event.level)
      if (event.type === 'line') tools.line(event.text, event.stream)
      if (event.type === 'progress') tools.progress({ item: `${artifact.path}: ${event.progress.item}` })
    },
  })
  for (const check of result.checks) {
    tools.line(`${artifact.path} (${firmware}): ${check.name}: ${check.status}: ${check.detail}`)
  }
  return { ...result, serialLog }
}

/** @throws boot error that names each image and what it did not show */
export function requireBoots(context: OpenwrtContext): void {
  const failed = context.found.artifacts.flatMap(({ path, boot: own, biosBoot }) =>
    [own, biosBoot].flatMap((result) => (result?.status === 'failed' ? [{ path, result }] : [])),
  )
  if (failed.length === 0) return
  const lines = failed.map(({ path, result }) => {
    const checks = result.checks.filter((check) => check.status === 'failed')
    return `  ${path} (${result.firmware}): ${checks.map((check) => `${check.name} (${check.detail})`).join('; ')}`
  })
  throw bootError('E_BOOT_FAILED', `${failed.length} boots failed:\n${lines.join('\n')}`, {
    hint: `serial logs: ${join(context.paths.output, 'boot')}`,
  })
}
