import { basename, dirname, isAbsolute, join, relative } from 'node:path'
import { dynamicNeeds } from '../../core/host/elf-needs.ts'
import { upstreamVersion } from '../../core/host/zfs-meta.ts'
import type { BuildArea } from '../../effects/beneath/area.ts'
import type { Session } from '../../effects/engine.ts'
import type { DebianApt } from './debian-apt.ts'
import { requireSuccess } from './session-output.ts'

export interface UserlandPlace {
  readonly session: Session
  /** Holds `dir`. */
  readonly area: BuildArea
  /** Replaced. Holds `sbin`, `lib/x86_64-linux-gnu` and `lib64` afterwards. */
  readonly dir: string
  readonly note: (text: string, level?: 'info' | 'warn') => void
  readonly signal: AbortSignal
}

/** Debian's package with the commands. */
const utilities = 'zfsutils-linux'
const programs = ['zpool', 'zfs'] as const
/** What glibc loads by name when a thread ends early; the program is aborted without it. */
const loadedLater: readonly string[] = ['libgcc_s.so.1']
/** Where the loader looks by itself, in a merged and in an unmerged file system. */
const libraryFolders = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu', 'lib', 'usr/lib'] as const
const programFolders = ['sbin', 'usr/sbin', 'bin', 'usr/bin'] as const

/**
 * The ZFS commands of a version with every shared library they need and the loader, small enough for an
 * initramfs: nothing else of the packages is kept.
 * @param version of the modules; a package of the same upstream version is taken
 * @returns the directory, or undefined with a note where no suite has that version
 */
export async function zfsUserland(
  apt: DebianApt,
  version: string,
  place: UserlandPlace,
): Promise<string | undefined> {
  const { area, dir, note } = place
  await apt.update()
  const all = await apt.versions(utilities)
  const wanted =
    all.find((candidate) => candidate.version === version) ??
    all.find((candidate) => upstreamVersion(candidate.version) === upstreamVersion(version))
  if (wanted === undefined) {
    note(
      `no suite in reach has ${utilities} ${upstreamVersion(version)}: the proof loads the modules and makes no pool`,
      'warn',
    )
    return undefined
  }
  const roots = await unpackAll(await apt.downloadWithDependencies(wanted), place)
  await area.remove(dir)
  const missing = await keepWhole(roots, place)
  await area.remove(scratch(dir))
  if (missing === undefined) return dir
  await area.remove(dir)
  note(
    `${utilities} ${wanted.version} lacks ${missing}: the proof loads the modules and makes no pool`,
    'warn',
  )
  return undefined
}

const scratch = (dir: string): string => `${dir}.packages`

/** Each package into a folder of its own: a root would have to know which folders are links to others. */
async function unpackAll(
  debs: readonly string[],
  { session, area, dir, signal }: UserlandPlace,
): Promise<readonly string[]> {
  const top = scratch(dir)
  await area.remove(top)
  area.makeFolder(top)
  const roots: string[] = []
  for (const deb of debs) {
    const root = join(top, String(roots.length))
    await requireSuccess(session, ['dpkg-deb', '-x', session.inside(deb), session.inside(root)], {
      cwd: top,
      signal,
    })
    roots.push(root)
  }
  return roots
}

/**
 * Programs, then what each file kept needs, on to the loader.
 * @returns what is in none of the packages, if anything
 */
async function keepWhole(roots: readonly string[], place: UserlandPlace): Promise<string | undefined> {
  const { session, area, dir, signal } = place
  const wanted = new Map<string, readonly string[]>(
    programs.map((program) => [join(dir, 'sbin', program), programFolders]),
  )
  const libraries = join(dir, 'lib', 'x86_64-linux-gnu')
  for (const name of loadedLater) wanted.set(join(libraries, name), libraryFolders)
  // A map goes through what is added on the way, and takes each path once.
  for (const [target, folders] of wanted) {
    const from = find(area, roots, basename(target), folders)
    if (from === undefined) {
      if (loadedLater.includes(basename(target))) continue
      return basename(target)
    }
    area.write(target, area.read(from) ?? '', 0o755)
    const argv = ['readelf', '-dlW', session.inside(target)]
    const { needed, interpreter } = dynamicNeeds(await requireSuccess(session, argv, { cwd: dir, signal }))
    for (const name of needed) wanted.set(join(libraries, name), libraryFolders)
    if (interpreter !== undefined) wanted.set(join(dir, interpreter), libraryFolders)
  }
  return undefined
}

/** A file by its name in one of the folders; links are followed, but not out of the package. */
function find(
  area: BuildArea,
  roots: readonly string[],
  name: string,
  folders: readonly string[],
): string | undefined {
  for (const root of roots) {
    for (const folder of folders) {
      const path = followed(area, root, join(folder, name))
      if (path !== undefined && area.isFile(path)) return path
    }
  }
  return undefined
}

/** libx.so.1 → libx.so.1.2.3 is all that packages do. */
const maxLinks = 8

function followed(area: BuildArea, root: string, path: string): string | undefined {
  let at = path
  for (let links = 0; links < maxLinks; links += 1) {
    const target = area.linkTarget(join(root, at))
    if (target === undefined) return join(root, at)
    at = isAbsolute(target) ? relative('/', target) : join(dirname(at), target)
    if (at.startsWith('..')) return undefined
  }
  return undefined
}
