import { createHash } from 'node:crypto'
import { usageError } from '../errors.ts'
import type { AcsMode, HostKernelLayer } from './options.ts'
import { isUrl, parseSourceReference } from './source-reference.ts'

/** Where a kernel's source comes from. */
export type KernelSource =
  | {
      readonly kind: 'debian'
      /** `6.12`, or `newest` of all suites; undefined: the host's own. */ readonly series?: string
    }
  | { readonly kind: 'tree'; readonly path: string }
  | { readonly kind: 'tarball'; readonly location: string; readonly sha256?: string }
  | { readonly kind: 'git'; readonly location: string; readonly ref: string }

export type ZfsWish =
  /** On where the host has ZFS. */
  | { readonly kind: 'auto' }
  | { readonly kind: 'off' }
  | { readonly kind: 'on' }
  | { readonly kind: 'version'; readonly version: string }
  | { readonly kind: 'path'; readonly path: string }

/** What a configuration starts from; `auto`: the running kernel's, else the distribution's. */
export type ConfigBase =
  | { readonly kind: 'auto' | 'running' | 'distro' | 'localmod' | 'small' | 'micro' }
  | { readonly kind: 'file'; readonly path: string }

/** Everything a host kernel is asked for; checked once, trusted afterwards. */
export interface HostKernelSpec {
  /** Name of tree, records and output folder. */
  readonly name: string
  readonly acs: AcsMode
  readonly zfs: ZfsWish
  readonly source: KernelSource
  readonly config: ConfigBase
  readonly patches: readonly string[]
  /** Refused hunks of documentation are left out. */
  readonly skipDocs: boolean
  readonly fragments: readonly string[]
  /** Suffix of the kernel release, e.g. `-fwbuild-acs`. */
  readonly localversion: string
  /** Full BDFs (`0000:01:00.0`), sorted. */
  readonly passthrough: readonly string[]
  readonly boot: boolean
}

/**
 * Options of all layers made one specification.
 * @param layers strongest first
 * @throws usage errors for values that don't fit
 */
export function hostKernelSpec(layers: readonly HostKernelLayer[]): HostKernelSpec {
  const pick = <K extends keyof HostKernelLayer>(key: K): HostKernelLayer[K] =>
    layers.find((layer) => layer[key] !== undefined)?.[key]
  const acs = pick('acs') ?? 'off'
  const zfs = parseZfs(pick('zfs') ?? 'auto')
  const source = parseKernelSource(pick('source') ?? 'debian', pick('sha256')?.toLowerCase())
  return {
    name: nameOf(source, zfs),
    acs,
    zfs,
    source,
    config: parseConfig(pick('config') ?? 'auto'),
    patches: pick('patch') ?? [],
    skipDocs: pick('skipDocs') ?? false,
    fragments: pick('fragment') ?? [],
    localversion: pick('localversion') ?? (acs === 'off' ? '-fwbuild' : '-fwbuild-acs'),
    passthrough: [...new Set((pick('passthrough') ?? []).map(fullBdf))].sort(),
    boot: pick('boot') ?? true,
  }
}

const fullBdf = (bdf: string): string => (bdf.length === 7 ? `0000:${bdf}` : bdf).toLowerCase()

const tarballName = /\.(?:tar(?:\.(?:xz|gz|zst|bz2))?|tgz)$/

function parseKernelSource(text: string, sha256: string | undefined): KernelSource {
  const debian = /^debian(?::(newest|\d+\.\d+))?$/.exec(text)
  if (text.startsWith('debian') && !text.includes('/') && debian === null) {
    throw usageError('E_SOURCE_SYNTAX', `‘${text}’ is not a source`, {
      hint: 'write debian, debian:6.12 or debian:newest',
    })
  }
  if (sha256 !== undefined && (debian !== null || !tarballName.test(text))) {
    throw usageError('E_SHA256_UNUSED', '--sha256 is for a tarball, and --source names none')
  }
  if (debian !== null) return { kind: 'debian', ...(debian[1] === undefined ? {} : { series: debian[1] }) }
  const { location, ref } = parseSourceReference(text)
  if (ref !== undefined) return { kind: 'git', location, ref }
  if (tarballName.test(location)) {
    if (isUrl(location) && sha256 === undefined) {
      throw usageError('E_SHA256_MISSING', `what ${location} holds must be known before it is used`, {
        hint: 'add --sha256 HASH, as its maker publishes it (for kernel.org: sha256sums.asc)',
      })
    }
    return { kind: 'tarball', location, ...(sha256 === undefined ? {} : { sha256 }) }
  }
  if (isUrl(location)) {
    throw usageError('E_SOURCE_SYNTAX', `${location} names neither a tarball nor a git ref`, {
      hint: 'write URL#TAG for git, or the URL of a .tar.xz with --sha256',
    })
  }
  return { kind: 'tree', path: location }
}

function parseZfs(text: string): ZfsWish {
  if (text === 'auto' || text === 'off' || text === 'on') return { kind: text }
  if (text.includes('/')) return { kind: 'path', path: text }
  if (/^(?:\d+:)?\d+\.[\w.+~-]*$/.test(text)) return { kind: 'version', version: text }
  throw usageError('E_ZFS_SYNTAX', `--zfs ${text}: not known`, {
    hint: 'write on, off, auto, a version like 2.3.9, or a path with a slash in it (./zfs)',
  })
}

const configWords = ['auto', 'running', 'distro', 'localmod', 'small', 'micro'] as const

function parseConfig(text: string): ConfigBase {
  const kind = configWords.find((word) => word === text)
  if (kind !== undefined) return { kind }
  if (text.includes('/')) return { kind: 'file', path: text }
  throw usageError('E_CONFIG_WORD', `--config ${text}: not known`, {
    hint: `write ${configWords.slice(1).join(', ')}, or a file (./my.config)`,
  })
}

/**
 * One tree, compiler cache and set of records a source: another configuration of the same kernel builds on what is
 * there, and code from elsewhere, a ZFS of the user's among it, never meets what another source's build believes.
 */
function nameOf(source: KernelSource, zfs: ZfsWish): string {
  const own = zfs.kind === 'path' ? `-zfs-${shortDigest(zfs.path)}` : ''
  if (source.kind !== 'debian') return `host-kernel-${shortDigest(JSON.stringify(source))}${own}`
  return `host-kernel${source.series === undefined ? '' : `-${source.series}`}${own}`
}

const shortDigest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8)

/** Whose code is built that is not Debian's. */
export const foreignSources = ({ source, zfs }: HostKernelSpec): readonly string[] => [
  ...(source.kind === 'debian' ? [] : [kernelSourceText(source)]),
  ...(zfs.kind === 'path' ? [zfs.path] : []),
]

/** Text of a source as `--source` takes it. */
export function kernelSourceText(source: KernelSource): string {
  if (source.kind === 'debian') return source.series === undefined ? 'debian' : `debian:${source.series}`
  if (source.kind === 'tree') return source.path
  return source.kind === 'git' ? `${source.location}#${source.ref}` : source.location
}
