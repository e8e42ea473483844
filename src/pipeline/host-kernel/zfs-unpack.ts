import { copyFile, cp, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { cancelledError, messageOf, usageError } from '../../core/errors.ts'
import { parseZfsMeta, type ZfsMeta } from '../../core/host/zfs-meta.ts'
import { giveTo } from '../../effects/build-user.ts'
import type { BuildUser, Session } from '../../effects/engine.ts'
import { fileError, removeTree, systemError } from '../../effects/files.ts'
import { requireSuccess } from './session-output.ts'

/** Where and by whom ZFS is unpacked. */
export interface ZfsPlace {
  readonly session: Session
  /** WORK/host-kernel/NAME/zfs: the tree comes to its `src`, everything else in there is scratch. */
  readonly root: string
  readonly user: BuildUser
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
  const { session, root, signal } = place
  await requireSuccess(session, ['dpkg-deb', '-x', session.inside(deb), session.inside(fresh)], {
    cwd: root,
    signal,
  })
  const sources = join(fresh, 'usr', 'src')
  const names = await readdir(sources).catch((): string[] => [])
  const name = names.find((entry) => /^zfs-\d/.test(entry))
  if (name === undefined) {
    throw usageError('E_ZFS_SOURCE', `${basename(deb)} holds no usr/src/zfs-VERSION`, {
      hint: 'name a source tree or a release tarball with --zfs=PATH',
    })
  }
  return unpackedFrom(join(sources, name), fresh, basename(deb), root)
}

/** Takes a copy of the user's tree, or unpacks the user's tarball. */
export async function unpackZfsPath(path: string, place: ZfsPlace): Promise<UnpackedZfs> {
  const isDirectory = await stat(path).then(
    (stats) => stats.isDirectory(),
    (error: unknown) => {
      throw usageError('E_ZFS_PATH', `--zfs: ${path} cannot be read: ${messageOf(error)}`, { cause: error })
    },
  )
  // Before anything is copied: a checkout of git can be large.
  if (isDirectory) await readMeta(path, path)
  const fresh = await freshFolder(place)
  if (isDirectory) await copyTree(path, fresh, place)
  else await unpackTarball(path, fresh, place)
  const top = join(fresh, 'tree')
  const entries = await readdir(top, { withFileTypes: true })
  const [only] = entries
  const inner = entries.length === 1 && only?.isDirectory() === true ? join(top, only.name) : top
  return unpackedFrom(inner, fresh, path, place.root)
}

/**
 * Content that an earlier build left in the tree: it would be taken for this kernel's. Also `build/`, which
 * OpenZFS's configure makes for its probes.
 */
const leftover =
  /(?:^\.git|\.(?:o|ko|mod|mod\.c|cmd|lo|la|a|symvers|ur-safe)|^build|^\.libs|^\.deps|^config\.(?:status|log|cache)|^modules\.order)$/

async function copyTree(path: string, fresh: string, { user, signal }: ZfsPlace): Promise<void> {
  const target = join(fresh, 'tree')
  try {
    await cp(path, target, {
      recursive: true,
      verbatimSymlinks: true,
      // make compares them: a configure that looks older than configure.ac is made again, by autoconf.
      preserveTimestamps: true,
      filter: (source) => !signal.aborted && (source === path || !leftover.test(basename(source))),
    })
  } catch (error) {
    throw systemError(fileError(target, error))
  }
  if (signal.aborted) throw cancelledError()
  await giveTo(target, user, signal)
}

async function unpackTarball(path: string, fresh: string, place: ZfsPlace): Promise<void> {
  const { session, user, signal } = place
  // Only the work directory can be seen from inside.
  const copy = join(fresh, 'tarball')
  const target = join(fresh, 'tree')
  try {
    await copyFile(path, copy)
  } catch (error) {
    throw systemError(fileError(copy, error))
  }
  await mkdir(target)
  await giveTo(fresh, user, signal)
  const lines: string[] = []
  const argv = ['tar', '-xf', session.inside(copy), '--no-same-owner', '-C', session.inside(target)]
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

async function freshFolder({ root, user, signal }: ZfsPlace): Promise<string> {
  const fresh = join(root, 'src.new')
  await removeTree(fresh)
  await mkdir(fresh, { recursive: true })
  await giveTo(fresh, user, signal)
  return fresh
}

async function readMeta(tree: string, where: string): Promise<ZfsMeta> {
  const path = join(tree, 'META')
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw usageError('E_ZFS_META', `${where} has no file META, so it is no OpenZFS source`, {
      cause: error,
      hint: 'give the top directory of an OpenZFS source tree, or its release tarball',
    })
  }
  return parseZfsMeta(text, path)
}

async function unpackedFrom(tree: string, fresh: string, origin: string, root: string): Promise<UnpackedZfs> {
  const meta = await readMeta(tree, origin)
  const hasConfigure = await stat(join(tree, 'configure')).then(
    (stats) => stats.isFile(),
    () => false,
  )
  if (!hasConfigure) {
    throw usageError('E_ZFS_CONFIGURE', `${origin} has no configure`, {
      hint: 'run ./autogen.sh in that tree first (needs autoconf, automake and libtool), or give a release tarball',
    })
  }
  const target = zfsTree(root)
  return {
    meta,
    keep: async () => {
      await removeTree(target)
      await rename(tree, target)
      await removeTree(fresh)
    },
    drop: () => rm(fresh, { recursive: true, force: true }),
  }
}
