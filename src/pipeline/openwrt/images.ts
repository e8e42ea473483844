import { createWriteStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { extract } from 'tar-stream'
import { buildError } from '../../core/errors.ts'
import { wholeSectorBytes } from '../../core/image/conversion.ts'
import { formatOfName, type ImageFormat } from '../../core/image/formats.ts'
import { outputName, recognizeImage, type UpstreamImage } from '../../core/image/image-names.ts'
import type { Artifact } from '../../core/manifest/artifact.ts'
import { removeTree, replaceFile, sha256File } from '../../effects/files.ts'
import { gunzipFile } from '../../effects/gunzip.ts'
import { convertImage } from '../../effects/qemu-img.ts'
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
  intact: async (context, outputs) => {
    const checks = outputs.images.map(async (image) => {
      const found = await stat(join(context.paths.output, image.path)).catch(() => undefined)
      return found?.size === image.bytes && found.mtimeMs === image.mtimeMs
    })
    return (await Promise.all(checks)).every(Boolean)
  },
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
    return [{ name, image }]
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
  const raw = join(output, keepsRaw ? rawName : `.${rawName}.unpacked`)
  await readDisk(context, disk, raw, tools)
  const results: ImageOutput[] = []
  for (const format of context.spec.formats) {
    const name = outputName(disk.image, format)
    tools.progress({ item: name })
    if (format !== 'raw') await convertImage(raw, format, join(output, name), { signal })
    results.push(await describe(output, name, disk.image, format, signal))
  }
  if (!keepsRaw) await removeTree(raw)
  return results
}

/** One file out of the session as a tar stream; unpacked where upstream compressed it. */
async function readDisk(context: OpenwrtContext, disk: Disk, to: string, tools: StepTools): Promise<void> {
  const { signal } = tools
  if (!disk.image.gzip) return readFromSession(context, disk.name, to, tools)
  const packed = `${to}.packed`
  try {
    await readFromSession(context, disk.name, packed, tools)
    await gunzipFile(packed, to, { signal, cutTo: wholeSectorBytes })
  } finally {
    await removeTree(packed)
  }
}

async function readFromSession(
  context: OpenwrtContext,
  name: string,
  to: string,
  tools: StepTools,
): Promise<void> {
  const { signal } = tools
  const session = await context.session((text) => tools.line(text))
  const tar = await session.readTar(targetPath(context, name), signal)
  const entries = extract()
  await replaceFile(to, async (temporary) => {
    const unpacking = pipeline(tar, entries, { signal })
    // The loop below sees the same error first when the stream breaks.
    unpacking.catch(() => {})
    for await (const entry of entries) {
      if (entry.header.type === 'file') await pipeline(entry, createWriteStream(temporary), { signal })
      else entry.resume()
    }
    await unpacking
  })
}

async function describe(
  output: string,
  name: string,
  image: UpstreamImage,
  format: ImageFormat,
  signal: AbortSignal,
): Promise<ImageOutput> {
  const path = join(output, name)
  const { size, mtimeMs } = await stat(path)
  const sha256 = await sha256File(path, { signal })
  return { kind: image.kind, firmware: image.firmware, format, path: name, bytes: size, sha256, mtimeMs }
}

/** Images of an earlier build with other options would be taken for results of this one. */
async function removeStale(context: OpenwrtContext, current: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(context.paths.output)) {
    const isDisk = /-(?:combined|uefi-gpt)\b/.test(name) && formatOfName(name) !== undefined
    // What a killed run was writing; see replaceFile.
    const isUnfinished = /-(?:combined|uefi-gpt)\b.*\.(?:[0-9a-f]{12}\.tmp|unpacked|packed)$/.test(name)
    if ((isDisk && !current.has(name)) || isUnfinished) await removeTree(join(context.paths.output, name))
  }
}
