import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import { mostDiskBytes, wholeSectorBytes } from '../../core/image/conversion.ts'
import { formatOfName, type ImageFormat } from '../../core/image/formats.ts'
import { outputName, recognizeImage, type UpstreamImage } from '../../core/image/image-names.ts'
import type { Artifact } from '../../core/manifest/artifact.ts'
import { pathWord } from '../../core/path-word.ts'
import { copyBeneath, sha256Beneath } from '../../effects/beneath/copy.ts'
import { listBeneath, statBeneath } from '../../effects/beneath/read.ts'
import { removeBeneath } from '../../effects/beneath/remove.ts'
import { gunzipFile } from '../../effects/gunzip.ts'
import { convertImage, isUnfinishedFolder } from '../../effects/qemu-img.ts'
import type { Step, StepTools } from '../run.ts'
import { targetPath } from './compile.ts'
import type { OpenwrtContext } from './context.ts'

type ImageOutput = {
  readonly kind: Artifact['kind']
  readonly firmware: Artifact['firmware']
  readonly format: ImageFormat
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  readonly mtimeMs: number
}

type ImageOutputs = { readonly images: readonly ImageOutput[] }

/** Disk images out of the build, unpacked and converted; each conversion is compared with the raw disk. */
export const imagesStep: Step<OpenwrtContext, ImageOutputs> = {
  id: 'images',
  title: 'Images',
  version: 1,
  inputs: async (context) => ({
    files: context.found.targetFiles,
    firmwares: [...context.spec.firmwares],
    formats: [...context.spec.formats],
    output: context.paths.output,
  }),
  run: async (context, tools) => {
    const disks = chooseDisks(context)
    const images: ImageOutput[] = []
    for (const disk of disks) images.push(...(await emit(context, disk, tools)))
    await removeStale(context, new Set(images.map((image) => image.path)))
    return { images }
  },
  intact: async (context, outputs) =>
    outputs.images.every((image) => {
      const found = statBeneath(context.paths.output, image.path)
      return found?.isFile() === true && found.size === image.bytes && found.mtimeMs === image.mtimeMs
    }),
  adopt: (context, outputs) => {
    context.found.artifacts = outputs.images.map(({ kind, firmware, format, path, bytes, sha256 }) => ({
      kind,
      firmware,
      format,
      path,
      bytes,
      sha256,
    }))
  },
  summary: ({ images }) => `${images.length} files`,
}

interface Disk {
  readonly name: string
  readonly image: UpstreamImage
}

function chooseDisks(context: OpenwrtContext): readonly Disk[] {
  const disks = context.found.targetFiles.flatMap(({ name }) => {
    const image = recognizeImage(name)
    if (image?.kind !== 'combined' || image.format !== 'raw') return []
    return [{ name: pathWord('the image name', name), image }]
  })
  for (const firmware of context.spec.firmwares) {
    if (disks.some((disk) => disk.image.firmware === firmware)) continue
    throw buildError('E_IMAGE_MISSING', `the build made no ${firmware} disk image`, {
      hint: `it made: ${context.found.targetFiles.map((file) => file.name).join(', ')}`,
    })
  }
  return disks.filter((disk) => context.spec.firmwares.includes(disk.image.firmware))
}

async function emit(context: OpenwrtContext, disk: Disk, tools: StepTools): Promise<readonly ImageOutput[]> {
  const { signal } = tools
  const { output } = context.paths
  tools.progress({ item: disk.name })
  const rawName = outputName(disk.image, 'raw')
  const keepsRaw = context.spec.formats.includes('raw')
  const rawFile = keepsRaw ? rawName : `.${rawName}.unpacked`
  const raw = join(output, rawFile)
  await takeDisk(context, disk, rawFile, signal)
  const results: ImageOutput[] = []
  for (const format of context.spec.formats) {
    const name = outputName(disk.image, format)
    tools.progress({ item: name })
    if (format !== 'raw') await convertImage(raw, format, join(output, name), { signal, as: context.user })
    results.push(await describe(output, name, disk.image, format, signal))
  }
  if (!keepsRaw) await removeBeneath(output, rawFile)
  return results
}

/** One file out of the tree, where the build may still change it; unpacked where upstream compressed it. */
async function takeDisk(
  { tree, paths: { output } }: OpenwrtContext,
  { name, image }: Disk,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const limits = { maxBytes: mostDiskBytes, signal }
  if (!image.gzip) return void (await copyBeneath(tree, targetPath(name), join(output, to), limits))
  const packed = `${to}.packed`
  try {
    await copyBeneath(tree, targetPath(name), join(output, packed), limits)
    await gunzipFile(join(output, packed), join(output, to), { ...limits, cutTo: wholeSectorBytes })
  } finally {
    await removeBeneath(output, packed)
  }
}

async function describe(
  output: string,
  name: string,
  image: UpstreamImage,
  format: ImageFormat,
  signal: AbortSignal,
): Promise<ImageOutput> {
  const sha256 = await sha256Beneath(output, name, signal)
  const { size = 0, mtimeMs = 0 } = statBeneath(output, name) ?? {}
  return { kind: image.kind, firmware: image.firmware, format, path: name, bytes: size, sha256, mtimeMs }
}

/** Images of an earlier build with other options would be taken for results of this one. */
async function removeStale(context: OpenwrtContext, current: ReadonlySet<string>): Promise<void> {
  for (const { name } of listBeneath(context.paths.output, '')) {
    const isDisk = /-(?:combined|uefi-gpt)\b/.test(name) && formatOfName(name) !== undefined
    // What a killed run was writing; see replaceFile.
    const isUnfinished = /-(?:combined|uefi-gpt)\b.*\.(?:[0-9a-f]{12}\.tmp|unpacked|packed)$/.test(name)
    if ((isDisk && !current.has(name)) || isUnfinished || isUnfinishedFolder(name))
      await removeBeneath(context.paths.output, name)
  }
}
