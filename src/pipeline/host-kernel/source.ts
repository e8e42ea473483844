import { existsSync } from 'node:fs'
import { readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import { canonicalJson, type Json } from '../../core/json.ts'
import { giveTo } from '../../effects/build-user.ts'
import { atomicWrite, removeTree } from '../../effects/files.ts'
import { kernelVersion } from '../../effects/kconfig-tree.ts'
import type { Step, StepTools } from '../run.ts'
import type { HostKernelContext, SourceOrigin } from './context.ts'
import { fetchKernelSource } from './fetch-source.ts'

type SourceOutputs = {
  readonly origin: SourceOrigin
  readonly kernelVersion: string
  readonly epoch: number
}

/** Beside the tree: what it was unpacked from; written when it is whole. */
const markFile = 'source.json'

/** The kernel's source, verified and unpacked; the patch step changes it afterwards. */
export const sourceStep: Step<HostKernelContext, SourceOutputs> = {
  id: 'source',
  title: 'Fetch the kernel source',
  version: 1,
  inputs: async (context) => ({
    source: { ...context.spec.source } as Json,
    hostSuite: context.spec.source.kind === 'debian' ? context.hostSuite : null,
    // Only a run that looks for something newer asks the network again.
    refresh: context.refresh ? 'look again' : null,
    local: await localStamp(context),
  }),
  run: async (context, tools) => {
    const { places, user, signal } = context
    const fetched = await fetchKernelSource(context, tools)
    if ((await unpackedFrom(context)) !== fetched.origin.id) {
      tools.progress({ item: `unpacking ${fetched.origin.text}` })
      const fresh = `${places.src}.new`
      await removeTree(fresh)
      await removeTree(join(places.root, markFile))
      await fetched.unpack(fresh)
      requireKernel(fresh, fetched.origin)
      // Objects and pristine copies belong to the tree that goes.
      for (const stale of [places.src, places.obj, `${places.root}/pristine`]) await removeTree(stale)
      await rename(fresh, places.src)
      await giveTo(places.root, user, signal)
      await atomicWrite(join(places.root, markFile), canonicalJson({ id: fetched.origin.id }))
    }
    const version = requireKernel(places.src, fetched.origin)
    const { mtimeMs } = await stat(join(places.src, 'Kbuild'))
    return { origin: fetched.origin, kernelVersion: version, epoch: Math.floor(mtimeMs / 1000) }
  },
  intact: async (context, outputs) => (await unpackedFrom(context)) === outputs.origin.id,
  adopt: (context, outputs) => {
    context.found.origin = outputs.origin
    context.found.kernelVersion = outputs.kernelVersion
    context.found.epoch = outputs.epoch
  },
  summary: ({ origin, kernelVersion: version }) => `Linux ${version}, ${origin.text}`,
}

/** A local tree or tarball that changed is another source. */
async function localStamp({ spec: { source } }: HostKernelContext): Promise<Json> {
  const path =
    source.kind === 'tree'
      ? join(source.path, 'Makefile')
      : source.kind === 'tarball'
        ? source.location
        : undefined
  if (path === undefined || !existsSync(path)) return null
  const { size, mtimeMs } = await stat(path)
  return { bytes: size, mtimeMs }
}

async function unpackedFrom({ places }: HostKernelContext): Promise<string | undefined> {
  const mark = join(places.root, markFile)
  if (!existsSync(mark) || !existsSync(join(places.src, 'Makefile'))) return undefined
  return (JSON.parse(await readFile(mark, 'utf8')) as { readonly id: string }).id
}

function requireKernel(tree: string, origin: SourceOrigin): string {
  const version = existsSync(join(tree, 'Kconfig')) ? kernelVersion(tree) : undefined
  if (version !== undefined) return version
  throw buildError(
    'E_NOT_KERNEL',
    `${origin.text} is no Linux kernel source: no Makefile with a VERSION and no Kconfig`,
  )
}

export type FetchedSource = {
  readonly origin: SourceOrigin
  /** Makes the tree at a path of this machine that does not exist yet. */
  readonly unpack: (to: string) => Promise<void>
}

export type FetchTools = Pick<StepTools, 'line' | 'note' | 'progress' | 'signal'>
