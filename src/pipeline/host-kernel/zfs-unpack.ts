import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { messageOf, usageError } from '../../core/errors.ts'
import { parseZfsMeta, type ZfsMeta } from '../../core/host/zfs-meta.ts'
import type { BuildArea } from '../../effects/beneath/area.ts'
import { copyTree } from '../../effects/copy-tree.ts'
import type { Session } from '../../effects/engine.ts'
import { requireSuccess } from './session-output.ts'

/** Where and by whom ZFS is unpacked. */
export interface ZfsPlace {
  readonly session: Session
  /** WORK/host-kernel/NAME/zfs: the tree comes to its `src`, everything else in there is scratch. */
  readonly root: string
  /** Holds `root`. */
  readonly area: BuildArea
  /** A folder of fwbuild's own on the same file system, for what is prepared out of builds' reach. */
  readonly scratchDir: string
  readonly signal: AbortSignal
}

/** The unpacked tree; always at the same place, so that compiler caches know it again. */
export const zfsTree = (root: string): string => join(root, 'src')

/** What was unpacked beside the tree and may take its place. */
export interface UnpackedZfs {
  readonly meta: ZfsMeta
  /** Makes it the tree. */
  readonly keep: () => Promise<void>
  /** Removes it again. */
  readonly drop: () => Promise<void>
}

/** Unpacks the source of a `zfs-dkms` package: usr/src/zfs-VERSION. */
export async function unpackZfsPackage(deb: string, place: ZfsPlace): Promise<UnpackedZfs> {
  const fresh = await freshFolder(place)
  const { session, area, root, signal } = place
  await requireSuccess(session, ['dpkg-deb', '-x', session.inside(deb), session.inside(fresh)], {
    cwd: root,
    signal,
  })
  const sources = join(fresh, 'usr', 'src')
  const name = area.names(sources).find((entry) => /^zfs-\d/.test(entry))
  if (name === undefined) {
    throw usageError('E_ZFS_SOURCE', `${basename(deb)} holds no usr/src/zfs-VERSION`, {
      hint: 'name a source tree or a release tarball with --zfs=PATH',
    })
  }
  return unpackedFrom(join(sources, name), fresh, basename(deb), place)
}

/**
 * Takes a copy of the user's tree, or unpacks a tarball.
 * @param path of a tarball: one that the session sees
 */
export async function unpackZfsPath(path: string, place: ZfsPlace): Promise<UnpackedZfs> {
  const isDirectory = await stat(path).then(
    (stats) => stats.isDirectory(),
    (error: unknown) => {
      throw usageError('E_ZFS_PATH', `--zfs: ${path} cannot be read: ${messageOf(error)}`, { cause: error })
    },
  )
  // Before anything is copied: a checkout of git can be large.
  if (isDirectory) parseMeta(await readFile(join(path, 'META'), 'utf8').catch(() => undefined), path)
  const fresh = await freshFolder(place)
  if (isDirectory) await takeCopy(path, fresh, place)
  else await unpackTarball(path, fresh, place)
  const top = join(fresh, 'tree')
  const names = place.area.names(top)
  const only = join(top, names[0] ?? '')
  const inner = names.length === 1 && place.area.isFolder(only) ? only : top
  return unpackedFrom(inner, fresh, path, place)
}

/**
 * Content that an earlier build left in the tree: it would be taken for this kernel's. Also `build/`, which
 * OpenZFS's configure makes for its probes.
 */
const leftover =
  /(?:^\.git|\.(?:o|ko|mod|mod\.c|cmd|lo|la|a|symvers|ur-safe)|^build|^\.libs|^\.deps|^config\.(?:status|log|cache)|^modules\.order)$/

async function takeCopy(path: string, fresh: string, place: ZfsPlace): Promise<void> {
  const { area, scratchDir, signal } = place
  const own = join(scratchDir, 'zfs-tree')
  // make compares times: a configure that looks older than configure.ac is made again, by autoconf.
  await copyTree(path, own, { without: leftover, owner: area.user, signal })
  area.moveIn(own, join(fresh, 'tree'))
}

async function unpackTarball(path: string, fresh: string, place: ZfsPlace): Promise<void> {
  const { session, area, signal } = place
  const target = join(fresh, 'tree')
  area.makeFolder(target)
  const lines: string[] = []
  const argv = ['tar', '-xf', session.inside(path), '--no-same-owner', '-C', session.inside(target)]
  const onLine = (line: string): void => void lines.push(line)
  const { exitCode } = await session.exec(argv, { cwd: fresh, signal, onLine })
  if (exitCode === 0) return
  throw usageError(
    'E_ZFS_TARBALL',
    [`${path} cannot be unpacked:`, ...lines.slice(0, 4).map((line) => `  ${line}`)].join('\n'),
    {
      hint: 'give a release tarball (zfs-VERSION.tar.gz), or a directory with META and configure',
    },
  )
}

async function freshFolder({ area, root }: ZfsPlace): Promise<string> {
  const fresh = join(root, 'src.new')
  await area.remove(fresh)
  area.makeFolder(fresh)
  return fresh
}

function parseMeta(text: string | undefined, where: string): ZfsMeta {
  if (text !== undefined) return parseZfsMeta(text, join(where, 'META'))
  throw usageError('E_ZFS_META', `${where} has no file META, so it is no OpenZFS source`, {
    hint: 'give the top directory of an OpenZFS source tree, or its release tarball',
  })
}

function unpackedFrom(tree: string, fresh: string, origin: string, { area, root }: ZfsPlace): UnpackedZfs {
  const meta = parseMeta(area.text(join(tree, 'META')), origin)
  if (!area.isFile(join(tree, 'configure'))) {
    throw usageError('E_ZFS_CONFIGURE', `${origin} has no configure`, {
      hint: 'run ./autogen.sh in that tree first (needs autoconf, automake and libtool), or give a release tarball',
    })
  }
  const target = zfsTree(root)
  return {
    meta,
    keep: async () => {
      await area.remove(target)
      area.rename(tree, target)
      await area.remove(fresh)
    },
    drop: () => area.remove(fresh),
  }
}
