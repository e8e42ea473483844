import { join } from 'node:path'
import { canonicalJson, type Json } from '../../core/json.ts'
import type { Artifact } from '../../core/manifest/artifact.ts'
import type { Lockfile } from '../../core/spec/lockfile.ts'
import type { OpenwrtSpec } from '../../core/spec/openwrt-spec.ts'
import { trustDomain, type TrustDomain } from '../../core/spec/trust-domain.ts'
import { listBeneath } from '../../effects/beneath/read.ts'
import { atomicWrite } from '../../effects/files.ts'
import type { Mount, Session } from '../../effects/engine.ts'
import { borrowedObjects, borrowOnlyFrom, type MirrorOptions } from '../../effects/git-mirror.ts'
import type { FileStamp } from '../../effects/file-stamps.ts'
import { pathInside, requireApart } from '../../effects/mounts.ts'
import type { BuildrootImage, BuildSettings } from '../build-settings.ts'
import { originsFile, originsText, placesOf, type DomainPlaces } from './places.ts'

export interface OpenwrtSettings extends BuildSettings {
  readonly spec: OpenwrtSpec
  readonly lock: Lockfile | undefined
}

/** What the steps of one build share: settings, and what earlier steps found. */
export interface OpenwrtContext extends OpenwrtSettings {
  readonly signal: AbortSignal
  readonly domain: TrustDomain
  readonly places: DomainPlaces
  readonly tree: string
  readonly stateDir: string
  readonly gitDir: string
  readonly mounts: readonly Mount[]
  /** The path of a file of this machine as the build sees it. */
  readonly inside: (hostPath: string) => string
  readonly found: Findings
  /** The one session of this build, opened at its first use. */
  readonly session: (tell: (text: string) => void) => Promise<Session>
  readonly close: () => Promise<void>
}

/** Filled by the steps as they are done or adopted from their records. */
export interface Findings {
  sources: readonly SourceFinding[]
  commit: string
  merges: readonly MergeFinding[]
  patches: readonly PatchFinding[]
  rewrittenPatches: readonly RewrittenFile[]
  pciHyperv: boolean
  efiSymbol: string | undefined
  kernel: string
  feeds: readonly FeedFinding[]
  fragments: Json
  configDigest: string
  /** Symbols of `only-if` lines that the kernel tree has; undefined until it was read. */
  kernelHas: ReadonlySet<string> | undefined
  /** Wanted symbols that a later line for another member of their choice beats. */
  kernelOverruled: ReadonlySet<string>
  /** Optional kernel symbols that do not hold and were told. */
  kernelLost: ReadonlySet<string>
  /** In bin/targets/x86/64. */
  targetFiles: readonly FileStamp[]
  kernelConfig: string
  artifacts: readonly Artifact[]
}

export type SourceFinding = { readonly location: string; readonly ref: string; readonly commit: string }
export type MergeFinding = SourceFinding & {
  readonly how: 'merge' | 'cherry-pick' | 'up-to-date' | 'upstream'
}
export type PatchFinding = {
  readonly name: string
  readonly sha256: string
  readonly status: string
  readonly hunks: string
}
/** A patch with contexts and numbers true for the tree; `text` is a binary string. */
export type RewrittenFile = { readonly name: string; readonly text: string }
export type FeedFinding = SourceFinding & {
  readonly name: string
  /** Of its line in feeds.conf. */
  readonly flags: readonly string[]
  readonly path: string
}

const noFindings = (): Findings => ({
  sources: [],
  commit: '',
  merges: [],
  patches: [],
  rewrittenPatches: [],
  pciHyperv: false,
  efiSymbol: undefined,
  kernel: '',
  feeds: [],
  fragments: null,
  configDigest: '',
  kernelHas: undefined,
  kernelOverruled: new Set(),
  kernelLost: new Set(),
  targetFiles: [],
  kernelConfig: '',
  artifacts: [],
})

/** Fixed places inside the session: staging_dir holds absolute paths, and they end up in what is built. */
async function mountTable(
  project: string,
  { tree, dl, ccache, feeds, offered }: DomainPlaces,
  gitDir: string,
): Promise<readonly Mount[]> {
  // Made here it would be root's, and closed to the builds that are to fill it.
  const isOffered = offered !== undefined && listBeneath(offered, '').length > 0
  return [
    { source: tree, target: '/build/tree' },
    { source: dl, target: '/build/dl' },
    { source: ccache, target: '/build/ccache' },
    { source: feeds, target: '/build/feeds', readonly: true },
    ...(isOffered ? [{ source: offered, target: '/build/offered', readonly: true }] : []),
    { source: join(project, 'feeds'), target: '/build/fwbuild-feeds', readonly: true },
    // The work tree's .git file names the mirror by its path on this machine.
    { source: gitDir, target: gitDir, readonly: true },
    ...(await borrowedObjects(gitDir)).map((path) => ({ source: path, target: path, readonly: true })),
  ]
}

/** Kept as soon as a session opens: the run that comes to the manifest may be a later one. */
export const buildrootFile = 'buildroot.json'

/** The miniature as a git repository, made when it is used. */
export const miniRepositoryOf = ({ paths }: Pick<OpenwrtSettings, 'paths'>): string =>
  join(paths.work, 'mini.git')

export async function openwrtContext(
  settings: OpenwrtSettings,
  signal: AbortSignal,
  note: (text: string) => void = () => {},
  domain: TrustDomain = trustDomain(settings.spec),
): Promise<OpenwrtContext> {
  const { paths, engine, spec } = settings
  const places = placesOf(paths, domain)
  const { tree, stateDir } = places
  const gitDir = join(paths.work, 'git')
  const named = [spec.source, ...spec.merges].flatMap((each) => (each === undefined ? [] : [each.location]))
  await borrowOnlyFrom(named, { gitDir, signal, offline: settings.offline })
  const fixedMounts = await mountTable(paths.project, places, gitDir)
  await requireApart(fixedMounts, [stateDir, gitDir, paths.output, paths.project])
  const found = noFindings()
  let opening: Promise<Session> | undefined
  const open = async (tell: (text: string) => void): Promise<Session> => {
    const buildroot = await settings.ensureBuildroot(tell)
    const { image, id } = buildroot
    await atomicWrite(join(stateDir, buildrootFile), canonicalJson({ image, id }))
    await atomicWrite(join(stateDir, originsFile), canonicalJson(originsText(domain)))
    for (const text of buildrootNotes(buildroot, settings.lock)) note(text)
    const mounts = await mountTable(paths.project, places, gitDir)
    return engine.open(
      {
        image: buildroot.image,
        mounts,
        env: sessionEnvironment(engine.kind === 'docker' ? '/build/ccache' : places.ccache),
        user: settings.user,
        workDir: paths.work,
        title: `openwrt-${domain.name}`,
        limits: settings.limits,
        note,
      },
      signal,
    )
  }
  return {
    ...settings,
    signal,
    domain,
    places,
    tree,
    stateDir,
    gitDir,
    mounts: fixedMounts,
    inside: (hostPath) => (engine.kind === 'docker' ? pathInside(fixedMounts, hostPath) : hostPath),
    found,
    session: (tell) => (opening ??= open(tell)),
    close: async () => {
      const session = await opening?.catch(() => undefined)
      await session?.[Symbol.asyncDispose]()
    },
  }
}

/** What the user should know of the image that was had: another suite than wanted, another image than pinned. */
function buildrootNotes(buildroot: BuildrootImage, lock: Lockfile | undefined): readonly string[] {
  const pinned = lock?.buildroot?.id
  const differs = pinned !== undefined && pinned !== buildroot.id
  return differs
    ? [
        ...buildroot.notes,
        `the buildroot image ${buildroot.id.slice(7, 19)} is not the locked ${pinned.slice(7, 19)}`,
      ]
    : buildroot.notes
}

const sessionEnvironment = (ccacheDir: string): Readonly<Record<string, string>> => ({
  CCACHE_DIR: ccacheDir,
  LC_ALL: 'C.UTF-8',
  TZ: 'UTC',
  // toplevel.mk overwrites GIT_CONFIG_PARAMETERS, so these are the ones that arrive.
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: '*',
})

export const mirrorOptions = (context: OpenwrtContext): MirrorOptions => ({
  gitDir: context.gitDir,
  signal: context.signal,
  offline: context.offline,
})
