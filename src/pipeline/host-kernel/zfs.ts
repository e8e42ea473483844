import { statSync } from 'node:fs'
import { join } from 'node:path'
import { dkmsWarning, zfsMismatch } from '../../core/host/zfs-host.ts'
import { storeOwnFile } from '../../effects/archive-store.ts'
import { treeStamp } from '../../effects/file-stamps.ts'
import type { Step } from '../run.ts'
import type { HostKernelContext, ZfsFinding } from './context.ts'
import { buildZfs } from './zfs-build.ts'
import { fetchZfs, type ZfsWish } from './zfs-source.ts'
import { zfsTree } from './zfs-unpack.ts'

type ZfsSourceOutputs = { readonly zfs: ZfsFinding | null }

/** Which ZFS fits this kernel is known before anything is compiled. */
export const zfsSourceStep: Step<HostKernelContext, ZfsSourceOutputs> = {
  id: 'zfs-source',
  title: 'Find a ZFS for this kernel',
  version: 1,
  inputs: async (context) => ({
    on: context.zfsOn,
    wish: { ...context.spec.zfs },
    local: context.spec.zfs.kind === 'path' ? await pathStamp(context.spec.zfs.path, context.signal) : null,
    kernel: context.found.kernelVersion,
    userland: context.hostZfs.userland ?? null,
    locked: context.lock?.zfs ?? null,
  }),
  run: async (context, tools) => {
    if (!context.zfsOn) return { zfs: null }
    const { area, places, hostZfs } = context
    const source = await fetchZfs(
      await context.apt(tools),
      {
        wish: await wishOf(context),
        kernel: context.found.kernelVersion,
        note: tools.note,
        ...(hostZfs.userland === undefined ? {} : { userland: hostZfs.userland }),
      },
      {
        session: await context.session(tools.line),
        root: places.zfs,
        area,
        scratchDir: places.scratch,
        signal: tools.signal,
      },
    )
    const { version, origin, suite } = source
    for (const text of [zfsMismatch(hostZfs, version, suite), dkmsWarning(hostZfs)]) {
      if (text !== undefined) tools.note(text, 'warn')
    }
    return { zfs: { version, origin, suite: suite ?? null } }
  },
  intact: async (context, { zfs }) =>
    zfs === null || context.area.isFile(join(zfsTree(context.places.zfs), 'META')),
  adopt: (context, { zfs }) => {
    context.found.zfs = zfs ?? undefined
  },
  summary: ({ zfs }) => (zfs === null ? 'not asked for' : zfs.origin),
}

/** A tree or tarball that changed is another ZFS. */
async function pathStamp(path: string, signal: AbortSignal): Promise<string | null> {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return null
  return stats.isDirectory() ? treeStamp(path, signal) : `${stats.size} ${stats.mtimeMs}`
}

/** A tarball of the user's is taken into the store first: the session sees nothing else of the machine. */
async function wishOf({ spec, lock, places, signal }: HostKernelContext): Promise<ZfsWish> {
  const wish = spec.zfs
  const locked = lock?.zfs ?? undefined
  if (locked !== undefined && wish.kind !== 'path') return { kind: 'version', value: locked }
  if (wish.kind === 'version') return { kind: 'version', value: wish.version }
  if (wish.kind !== 'path') return { kind: 'any' }
  const isFile = statSync(wish.path, { throwIfNoEntry: false })?.isFile() === true
  const value = isFile ? (await storeOwnFile(places.store, wish.path, signal)).path : wish.path
  return { kind: 'path', value }
}

type ZfsOutputs = { readonly version: string; readonly files: readonly string[] }

/** ZFS modules, compiled outside DKMS for exactly this kernel. */
export const zfsStep: Step<HostKernelContext, ZfsOutputs> = {
  id: 'zfs',
  title: 'Compile the ZFS modules',
  version: 1,
  inputs: async (context) => ({
    zfs: context.found.zfs ?? null,
    // A patch that no module can see leaves them as they are.
    kernel: context.found.zfs === undefined ? null : context.found.interfaceDigest,
    buildroot: context.buildrootInputs,
  }),
  run: async (context, tools) => {
    const { area, places, jobs } = context
    if (context.found.zfs === undefined) return { version: '', files: [] }
    const { version, files } = await buildZfs({
      session: await context.session(tools.line),
      area,
      zfsDir: zfsTree(places.zfs),
      kernelSrcDir: places.src,
      kernelObjDir: places.obj,
      release: context.found.release,
      stageDir: zfsStage(context),
      jobs,
      ccache: true,
      tools,
    })
    return { version, files }
  },
  intact: async (context, { files }) =>
    files.every((file) => context.area.isFile(join(zfsStage(context), file))),
  adopt: (context, { version }) => {
    context.found.zfsModules = version
  },
  summary: ({ version, files }) => (version === '' ? 'not asked for' : `${version}: ${files.length} files`),
}

/** The modules as they are installed: lib/modules/RELEASE/extra. */
export const zfsStage = ({ places }: HostKernelContext): string => join(places.stage, 'zfs-modules')
