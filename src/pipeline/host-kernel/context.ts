import { join } from 'node:path'
import { suitesFor } from '../../core/host/apt-output.ts'
import type { InstallProof } from '../../core/host/install-proof.ts'
import type { GroupsProof } from '../../core/host/iommu-proof.ts'
import type { ModulesProof } from '../../core/host/modules-proof.ts'
import type { PciDevice } from '../../core/host/pci-device.ts'
import type { HostZfs } from '../../core/host/zfs-host.ts'
import { canonicalJson } from '../../core/json.ts'
import type { HostLock } from '../../core/spec/host-lock.ts'
import type { HostKernelSpec } from '../../core/spec/host-kernel-spec.ts'
import { areaOf, type BuildArea } from '../../effects/beneath/area.ts'
import type { Mount, Session } from '../../effects/engine.ts'
import { atomicWrite } from '../../effects/files.ts'
import type { BuildSettings } from '../build-settings.ts'
import type { PatchFinding, RewrittenFile } from '../openwrt/context.ts'
import { debianApt, type DebianApt } from './debian-apt.ts'

export interface HostKernelSettings extends BuildSettings {
  readonly spec: HostKernelSpec
  /** Code name of this machine's Debian, or of the nearest one. */
  readonly hostSuite: string
  /** Whether ZFS modules are built: asked for, or the host has ZFS. */
  readonly zfsOn: boolean
  /** ZFS as it is on this machine. */
  readonly hostZfs: HostZfs
  /** Options of `pcie_acs_override=` that this machine is advised to boot with. */
  readonly acsParameters: readonly string[]
  /** For vfio-pci. */
  readonly devices: readonly PciDevice[]
  readonly cpuVendor: 'intel' | 'amd' | 'other'
  /** What this machine's devices give to think about. */
  readonly warnings: readonly string[]
  readonly lock: HostLock | undefined
  /** The source to be taken, as `watch` found it; kept for later builds once it was had. */
  readonly newer: string | undefined
}

/** What the steps of one build share: settings, and what earlier steps found. */
export interface HostKernelContext extends HostKernelSettings {
  readonly signal: AbortSignal
  readonly stateDir: string
  readonly places: HostKernelPlaces
  /** The folder of the build, and the only way in which its files are touched from outside a session. */
  readonly area: BuildArea
  readonly found: HostKernelFindings
  /** The one session of this build, opened at its first use. */
  readonly session: (tell: (text: string) => void) => Promise<Session>
  /** A session of its own for something that the build must not see or touch. */
  readonly apart: <T>(mounts: readonly Mount[], body: (session: Session) => Promise<T>) => Promise<T>
  /** Debian's packages, indexes read at the first call. */
  readonly apt: (tools: AptTalk) => Promise<DebianApt>
  readonly close: () => Promise<void>
}

interface AptTalk {
  readonly line: (text: string) => void
  readonly note: (text: string, level?: 'info' | 'warn') => void
}

/** Folders of one build, on this machine. */
export interface HostKernelPlaces {
  readonly root: string
  /** The kernel's source, patched. */
  readonly src: string
  /** Its objects: `O=`. */
  readonly obj: string
  /** The ZFS source, built in place. */
  readonly zfs: string
  /** What goes into packages. */
  readonly stage: string
  readonly debs: string
  /** What only the boot proof needs. */
  readonly proof: string
  /** Files of the source as they were before they were patched; no build writes to it. */
  readonly pristine: string
  /** Of fwbuild's own, on the same file system; empty between two uses. */
  readonly scratch: string
  /** Archives by content, which builds read. */
  readonly store: string
}

/** What was found out about the kernel's source. */
export type SourceOrigin = {
  /** For people: `linux-source-6.12 6.12.117-1 (trixie)`. */
  readonly text: string
  /** Package and version, commit, or path: tells two sources apart. */
  readonly id: string
  readonly sha256: string | null
  /** Debian package version, where it is one: its configuration is looked for by it. */
  readonly debian: { readonly name: string; readonly version: string; readonly suite: string } | null
}

/** Where the ZFS modules come from. */
export type ZfsFinding = {
  /** Package version, or what META says of a tree. */
  readonly version: string
  readonly origin: string
  readonly suite: string | null
}

/** Filled by the steps as they are done or adopted from their records. */
export interface HostKernelFindings {
  origin: SourceOrigin | undefined
  /** E.g. `6.12.117`. */
  kernelVersion: string
  /** Seconds since 1970: date of everything that is built. */
  epoch: number
  patches: readonly PatchFinding[]
  rewrittenPatches: readonly RewrittenFile[]
  /** Of the patched source: whatever a patch changes is in it. */
  patchedDigest: string
  configDigest: string
  configBase: string
  /** `uname -r` of the kernel. */
  release: string
  imageSha256: string
  symversSha256: string
  /** Digest of all that a module outside the tree sees of the kernel; empty where it has no modules. */
  interfaceDigest: string
  /** The ZFS that fits the kernel. */
  zfs: ZfsFinding | undefined
  /** What the ZFS modules call themselves; empty before they were built. */
  zfsModules: string
  /** linux-image and linux-headers, on this machine. */
  kernelPackages: readonly string[]
  /** In the output folder: packages and what installs them, by path relative to it. */
  delivered: readonly { readonly path: string; readonly sha256: string }[]
  groupsProof: GroupsProof | undefined
  modulesProof: ModulesProof | undefined
  installProof: InstallProof | undefined
}

const noFindings = (): HostKernelFindings => ({
  origin: undefined,
  kernelVersion: '',
  epoch: 0,
  patches: [],
  rewrittenPatches: [],
  patchedDigest: '',
  configDigest: '',
  configBase: '',
  release: '',
  imageSha256: '',
  symversSha256: '',
  interfaceDigest: '',
  zfs: undefined,
  zfsModules: '',
  kernelPackages: [],
  delivered: [],
  groupsProof: undefined,
  modulesProof: undefined,
  installProof: undefined,
})

/** Records and logs of a build. */
export const hostStateDir = (workDir: string, name: string): string => join(workDir, 'builds', name)

export function hostPlaces(workDir: string, name: string): HostKernelPlaces {
  const root = join(workDir, 'trees', name)
  const at = (folder: string): string => join(root, folder)
  return {
    root,
    src: at('src'),
    obj: at('obj'),
    zfs: at('zfs'),
    stage: at('stage'),
    debs: at('debs'),
    proof: at('proof'),
    pristine: join(hostStateDir(workDir, name), 'pristine'),
    scratch: join(hostStateDir(workDir, name), 'scratch'),
    store: join(workDir, 'archives'),
  }
}

/** Each source has its own: what one kernel's build wrote is compiled into no other. */
export const hostCcache = (workDir: string, name: string): string => join(workDir, 'ccache', name)

/** Fixed places inside the session: paths end up in objects and in ccache's keys. */
const mountTable = (places: HostKernelPlaces, ccache: string): readonly Mount[] => [
  { source: places.root, target: '/build/kernel' },
  { source: ccache, target: '/build/ccache' },
  { source: places.store, target: '/build/archives', readonly: true },
]

/** Kept as soon as a session opens: the run that comes to the manifest may be a later one. */
export const hostBuildrootFile = (stateDir: string): string => join(stateDir, 'buildroot.json')

export function hostKernelContext(
  settings: HostKernelSettings,
  signal: AbortSignal,
  note: (text: string) => void,
): HostKernelContext {
  const { paths, engine, spec } = settings
  const stateDir = hostStateDir(paths.work, spec.name)
  const places = hostPlaces(paths.work, spec.name)
  const ccache = hostCcache(paths.work, spec.name)
  const inEngine = (path: string, inside: string): string => (engine.kind === 'docker' ? inside : path)
  let ensuring: ReturnType<HostKernelSettings['ensureBuildroot']> | undefined
  const ensure = (tell: (text: string) => void): NonNullable<typeof ensuring> =>
    (ensuring ??= settings.ensureBuildroot(tell))
  const buildMounts = mountTable(places, ccache)
  let opening: Promise<Session> | undefined
  let aptSession: Promise<Session> | undefined
  let apt: Promise<DebianApt> | undefined
  const open = async (mounts: readonly Mount[], tell: (text: string) => void): Promise<Session> => {
    const buildroot = await ensure(tell)
    await atomicWrite(
      hostBuildrootFile(stateDir),
      canonicalJson({ image: buildroot.image, id: buildroot.id }),
    )
    return engine.open(
      {
        image: buildroot.image,
        mounts,
        env: { CCACHE_DIR: inEngine(ccache, '/build/ccache'), LC_ALL: 'C.UTF-8', TZ: 'UTC' },
        user: settings.user,
        workDir: paths.work,
        title: spec.name,
        limits: settings.limits,
        // Told once, when the build's own session opens.
        note: mounts === buildMounts ? note : () => {},
      },
      signal,
    )
  }
  const openBuild = async (tell: (text: string) => void): Promise<Session> => {
    const opened = await open(buildMounts, tell)
    for (const text of (await ensure(tell)).notes) note(text)
    return opened
  }
  const session = (tell: (text: string) => void): Promise<Session> => (opening ??= openBuild(tell))
  const openApt = async (talk: AptTalk): Promise<DebianApt> => {
    const dir = join(paths.work, 'apt')
    const fresh = await debianApt({
      session: await (aptSession ??= open([{ source: dir, target: '/build/apt' }], talk.line)),
      area: areaOf(dir, settings.user),
      store: places.store,
      recordsDir: join(paths.work, 'records', 'apt'),
      suites: suitesFor(settings.hostSuite),
      mirror: settings.mirror,
      offline: settings.offline,
      signal,
      line: talk.line,
      note: (text) => talk.note(text, 'warn'),
    })
    await fresh.update()
    return fresh
  }
  return {
    ...settings,
    signal,
    stateDir,
    places,
    area: areaOf(places.root, settings.user),
    found: noFindings(),
    session,
    apart: async (mounts, body) => {
      await using opened = await open(mounts, () => {})
      return await body(opened)
    },
    apt: (talk) => (apt ??= openApt(talk)),
    close: async () => {
      for (const each of [opening, aptSession]) {
        const opened = await each?.catch(() => undefined)
        await opened?.[Symbol.asyncDispose]()
      }
    },
  }
}
