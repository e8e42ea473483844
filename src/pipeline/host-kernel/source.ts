import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { buildError, usageError } from '../../core/errors.ts'
import { canonicalJson, type Json } from '../../core/json.ts'
import { pathWord } from '../../core/path-word.ts'
import { treeStamp } from '../../effects/file-stamps.ts'
import { atomicWrite, removeTree } from '../../effects/files.ts'
import { kernelVersionOf } from '../../core/host/kernel-version.ts'
import { foreignSources } from '../../core/spec/host-kernel-spec.ts'
import { tellForeignCode } from '../foreign-code.ts'
import type { Step, StepTools } from '../run.ts'
import type { HostKernelContext, SourceOrigin } from './context.ts'
import { fetchKernelSource } from './fetch-source.ts'

type SourceOutputs = {
  readonly origin: SourceOrigin
  readonly kernelVersion: string
  readonly epoch: number
}

/** What the tree was unpacked from, where no build can write it; written when the tree is whole. */
const markOf = (stateDir: string): string => join(stateDir, 'unpacked.json')

/** The kernel's source, verified and unpacked; the patch step changes it afterwards. */
export const sourceStep: Step<HostKernelContext, SourceOutputs> = {
  id: 'source',
  title: 'Fetch the kernel source',
  version: 1,
  inputs: async (context, tools) => {
    tellForeignCode(foreignSources(context.spec), context, tools)
    return {
      source: { ...context.spec.source } as Json,
      hostSuite: context.spec.source.kind === 'debian' ? context.hostSuite : null,
      locked: context.lock?.source.id ?? null,
      local: await localStamp(context),
    }
  },
  run: async (context, tools) => {
    const { area, places, stateDir } = context
    const fetched = await fetchKernelSource(context, tools, await pinnedSource(context))
    requireLocked(context, fetched.origin)
    if ((await unpackedFrom(context)) !== fetched.origin.id) {
      tools.progress({ item: `unpacking ${fetched.origin.text}` })
      const fresh = `${places.src}.new`
      await area.remove(fresh)
      try {
        await fetched.unpack(fresh)
        requireKernel((name) => area.text(join(fresh, name)), fetched.origin)
      } catch (error) {
        await area.remove(fresh)
        throw error
      }
      // Objects and pristine copies belong to the tree that goes; until here it is as good as it was.
      await removeTree(markOf(stateDir))
      for (const stale of [places.src, places.obj]) await area.remove(stale)
      await removeTree(places.pristine)
      area.rename(fresh, places.src)
      await atomicWrite(markOf(stateDir), canonicalJson({ id: fetched.origin.id }))
    }
    const version = requireKernel((name) => area.text(join(places.src, name)), fetched.origin)
    if (context.newer !== undefined)
      await atomicWrite(pinFile(context.stateDir), canonicalJson({ id: fetched.origin.id }))
    const dated = area.stat(join(places.src, 'Kbuild')) ?? area.stat(join(places.src, 'Makefile'))
    return { origin: fetched.origin, kernelVersion: version, epoch: Math.floor((dated?.mtimeMs ?? 0) / 1000) }
  },
  intact: async (context, outputs) => {
    const pinned = await pinnedSource(context)
    const wanted = pinned === undefined || pinned === outputs.origin.id
    return wanted && (await unpackedFrom(context)) === outputs.origin.id
  },
  adopt: (context, outputs) => {
    context.found.origin = outputs.origin
    context.found.kernelVersion = outputs.kernelVersion
    context.found.epoch = outputs.epoch
  },
  summary: ({ origin, kernelVersion: version }) => `Linux ${version}, ${origin.text}`,
}

/** What `host-kernel watch` found to be newest, once it was had: that is built from then on. */
const pinFile = (stateDir: string): string => join(stateDir, 'source-pin.json')

/** The source that must be taken: the lock file's, what `watch` found just now, or what it found before. */
async function pinnedSource({
  lock,
  newer,
  stateDir,
}: Pick<HostKernelContext, 'lock' | 'newer' | 'stateDir'>): Promise<string | undefined> {
  if (lock !== undefined) return lock.source.id
  if (newer !== undefined) return newer
  const text = await readFile(pinFile(stateDir), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as { readonly id: string }).id
}

/** A local tree or tarball that changed is another source. */
async function localStamp({ spec: { source }, signal }: HostKernelContext): Promise<Json> {
  if (source.kind === 'tree') return existsSync(source.path) ? treeStamp(source.path, signal) : null
  if (source.kind !== 'tarball' || !existsSync(source.location)) return null
  const { size, mtimeMs } = await stat(source.location)
  return { bytes: size, mtimeMs }
}

async function unpackedFrom({ area, places, stateDir }: HostKernelContext): Promise<string | undefined> {
  const mark = markOf(stateDir)
  if (!existsSync(mark) || !area.isFile(join(places.src, 'Makefile'))) return undefined
  return (JSON.parse(await readFile(mark, 'utf8')) as { readonly id: string }).id
}

/** @throws usage E_LOCK_SOURCE */
function requireLocked({ lock }: HostKernelContext, origin: SourceOrigin): void {
  if (lock === undefined) return
  const { id, sha256 } = lock.source
  if (id === origin.id && (sha256 === null || sha256 === origin.sha256)) return
  throw usageError('E_LOCK_SOURCE', `the lock file pins the source ${id}, this is ${origin.id}`, {
    hint: 'leave the lock file out, or name the source that it pins with --source',
  })
}

/**
 * @param read text of a file of the tree
 * @returns the version of the kernel tree
 * @throws build E_NOT_KERNEL
 */
export function requireKernel(
  read: (name: string) => string | undefined,
  origin: Pick<SourceOrigin, 'text'>,
): string {
  const version = read('Kconfig') === undefined ? undefined : kernelVersionOf(read('Makefile') ?? '')
  if (version !== undefined) return pathWord('the kernel version', version)
  throw buildError(
    'E_NOT_KERNEL',
    `${origin.text} is no Linux kernel source: no Makefile with a VERSION and no Kconfig`,
    { hint: 'name a kernel tree, a tarball, URL#REF, or debian[:SERIES] with --source' },
  )
}

export type FetchedSource = {
  readonly origin: SourceOrigin
  /** Makes the tree at a path of this machine that does not exist yet. */
  readonly unpack: (to: string) => Promise<void>
}

export type FetchTools = Pick<StepTools, 'line' | 'note' | 'progress' | 'signal'>
