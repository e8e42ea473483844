import { existsSync, statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { tellsDiskFull } from '../../core/disk-full.ts'
import { buildError, FwbuildError, infraError, usageError } from '../../core/errors.ts'
import { chooseKernelSource, kernelSourcePackages } from '../../core/host/kernel-source.ts'
import { isUrl } from '../../core/spec/source-reference.ts'
import { pathWord } from '../../core/path-word.ts'
import { storeOwnFile } from '../../effects/archive-store.ts'
import { copyTree } from '../../effects/copy-tree.ts'
import { treeStamp } from '../../effects/file-stamps.ts'
import { sha256File } from '../../effects/files.ts'
import { downloadFile } from '../../effects/http.ts'
import { archiveCommit, fetchSource, resolveSource } from '../../effects/git-mirror.ts'
import type { AptPackage, DebianApt } from './debian-apt.ts'
import type { HostKernelContext } from './context.ts'
import { diskFullError } from './kbuild.ts'
import type { FetchedSource, FetchTools } from './source.ts'

/** Finds, fetches and verifies the source that was asked for; unpacking is the caller's to start. */
export function fetchKernelSource(
  context: HostKernelContext,
  tools: FetchTools,
  pinned: string | undefined,
): Promise<FetchedSource> {
  const { source } = context.spec
  if (source.kind === 'debian') return fromDebian(context, source.series, pinned, tools)
  if (source.kind === 'tree') return fromTree(context, source.path, tools)
  if (source.kind === 'tarball') return fromTarball(context, source.location, source.sha256, tools)
  return fromGit(context, source.location, pinned ?? source.ref, tools)
}

async function fromDebian(
  context: HostKernelContext,
  series: string | undefined,
  pinned: string | undefined,
  tools: FetchTools,
): Promise<FetchedSource> {
  const apt = await context.apt(tools)
  const candidates =
    pinned === undefined
      ? await debianSources(context, apt, series)
      : [
          await pinnedPackage(apt, pinned),
          // A lock is exact; a pin that the pool lost gives way to what there is.
          ...(context.lock === undefined ? await debianSources(context, apt, series) : []),
        ]
  const { deb, chosen } = await firstInPool(candidates, apt.download, tools)
  const { name, version, suite } = chosen
  return {
    origin: {
      text: `${name} ${version} (Debian ${suite})`,
      id: `${name}=${version}`,
      sha256: await sha256File(deb, { signal: tools.signal }),
      debian: { name, version, suite },
    },
    unpack: async (to) => {
      const { area, places } = context
      const scratch = join(places.root, 'unpack')
      await area.remove(scratch)
      await run(context, tools, ['dpkg-deb', '-x', deb, scratch])
      const folder = join(scratch, 'usr/src')
      const tarball = area.names(folder).find((file) => /^linux-source-.*\.tar\.\w+$/.test(file))
      if (tarball === undefined)
        throw buildError('E_KERNEL_SOURCE', `${basename(deb)} holds no kernel source`)
      await unpackTar(context, tools, join(folder, tarball), to)
      await area.remove(scratch)
    },
  }
}

/** The source packages that answer the wish now, best first. */
export async function debianSources(
  { hostSuite }: HostKernelContext,
  apt: DebianApt,
  series: string | undefined,
): Promise<readonly AptPackage[]> {
  const names = kernelSourcePackages(await apt.names('linux-source-'))
  const offered = (await Promise.all(names.map((name) => apt.versions(name)))).flat()
  return chooseKernelSource(offered, { series, hostSuite })
}

/** One that the indexes no longer name may still have been fetched before. */
async function pinnedPackage(apt: DebianApt, id: string): Promise<AptPackage> {
  const [name = '', version = ''] = id.split('=')
  const offered = await apt.versions(name)
  return offered.find((each) => each.version === version) ?? { name, version, suite: 'fetched before' }
}

/** An index may name versions that its pool lost: the next one is taken, and both are told. */
async function firstInPool(
  candidates: readonly AptPackage[],
  download: (wanted: AptPackage) => Promise<string>,
  tools: FetchTools,
): Promise<{ readonly deb: string; readonly chosen: AptPackage }> {
  let gone: FwbuildError | undefined
  for (const chosen of candidates) {
    tools.progress({ item: `${chosen.name} ${chosen.version}` })
    try {
      const deb = await download(chosen)
      if (gone !== undefined) tools.note(`${gone.message}; ${chosen.version} is taken instead`, 'warn')
      return { deb, chosen }
    } catch (error) {
      if (!(error instanceof FwbuildError) || error.code !== 'E_APT_GONE') throw error
      gone ??= error
    }
  }
  throw gone ?? infraError('E_APT_GONE', 'no version of the kernel source is in the pool')
}

/** What the kernel's Makefile refuses to find in a source that is built elsewhere. */
const madeInPlace = ['.config', 'include/config', 'arch/x86/include/generated'] as const

async function fromTree(context: HostKernelContext, path: string, tools: FetchTools): Promise<FetchedSource> {
  if (!existsSync(path) || !statSync(path).isDirectory()) {
    throw usageError('E_SOURCE_MISSING', `the source ${path} is not a directory`, {
      hint: 'name a kernel tree, a tarball, URL#REF, or debian[:SERIES]',
    })
  }
  if (madeInPlace.some((name) => existsSync(join(path, name)))) {
    throw usageError(
      'E_SOURCE_NOT_CLEAN',
      `${path} was built in place; its objects would be mistaken for ours`,
      {
        hint: `make -C ${path} mrproper`,
      },
    )
  }
  return {
    origin: { text: path, id: `${path}@${await treeStamp(path, tools.signal)}`, sha256: null, debian: null },
    unpack: async (to) => {
      const { area, places, user } = context
      const own = join(places.scratch, 'source')
      await copyTree(path, own, { without: /^\.git$/, owner: user, signal: tools.signal })
      area.moveIn(own, to)
    },
  }
}

async function fromTarball(
  context: HostKernelContext,
  location: string,
  sha256: string | undefined,
  tools: FetchTools,
): Promise<FetchedSource> {
  const path = isUrl(location)
    ? join(context.paths.dl, pathWord('the file name', basename(new URL(location).pathname)))
    : location
  if (isUrl(location)) {
    if (!existsSync(path) && context.offline) {
      throw infraError('E_DOWNLOAD', `--offline was given, and ${path} is not there`)
    }
    if (!existsSync(path))
      await downloadFile(location, path, {
        sha256: sha256 ?? '',
        signal: tools.signal,
        progress: tools.progress,
      })
  } else if (!existsSync(path)) {
    throw usageError('E_SOURCE_MISSING', `the source ${path} does not exist`)
  }
  const found = await sha256File(path, { signal: tools.signal })
  if (sha256 !== undefined && found !== sha256) {
    throw infraError('E_HASH', `${path} is not what was asked for:\n  sha256 ${found}\n  wanted ${sha256}`, {
      hint: isUrl(location)
        ? `remove ${path} and run the same command again, or correct --sha256`
        : 'correct --sha256, or name another file',
    })
  }
  return {
    origin: { text: basename(path), id: `sha256:${found}`, sha256: found, debian: null },
    unpack: async (to) => {
      // What is unpacked is what the hash was made of, whatever became of the file meanwhile.
      const stored = await storeOwnFile(context.places.store, path, tools.signal)
      if (stored.sha256 !== found) throw infraError('E_HASH', `${path} changes while it is read`)
      await unpackTar(context, tools, stored.path, to)
    },
  }
}

async function fromGit(
  context: HostKernelContext,
  location: string,
  ref: string,
  tools: FetchTools,
): Promise<FetchedSource> {
  // Apart from OpenWrt's mirror, whose histories must stay whole.
  const options = {
    gitDir: join(context.paths.work, 'kernel.git'),
    signal: tools.signal,
    offline: context.offline,
    shallow: true,
  }
  const resolved = await resolveSource(location, ref, options)
  for (const text of resolved.notes) tools.note(text, 'warn')
  return {
    origin: {
      text: `${location} ${ref} (${resolved.commit.slice(0, 12)})`,
      id: resolved.commit,
      sha256: null,
      debian: null,
    },
    unpack: async (to) => {
      for (const text of await fetchSource(resolved, options)) tools.note(text, 'warn')
      const { area, places } = context
      const own = join(places.scratch, 'source.tar')
      await mkdir(places.scratch, { recursive: true })
      await archiveCommit(options, resolved.commit, own)
      const tar = join(places.root, 'source.tar')
      area.moveIn(own, tar)
      await unpackTar(context, tools, tar, to)
      await area.remove(tar)
    },
  }
}

/** Unpacks a tarball whose files lie in one folder, or in none. */
async function unpackTar(
  context: HostKernelContext,
  tools: FetchTools,
  tarball: string,
  to: string,
): Promise<void> {
  const { area } = context
  const scratch = `${to}.tar`
  await area.remove(scratch)
  area.makeFolder(scratch)
  try {
    await run(context, tools, ['tar', '-xf', tarball, '-C', scratch, '--no-same-owner'])
    const entries = area.names(scratch)
    const [only] = entries
    area.rename(entries.length === 1 && only !== undefined ? join(scratch, only) : scratch, to)
  } finally {
    // Gigabytes, which a full disk needs most.
    await area.remove(scratch)
  }
}

/** Runs a program of the session; words that are paths of this machine are translated. */
async function run(context: HostKernelContext, tools: FetchTools, argv: readonly string[]): Promise<void> {
  const session = await context.session(tools.line)
  const words = argv.map((word) => (word.startsWith('/') ? session.inside(word) : word))
  let reason: string | undefined
  const { exitCode } = await session.exec(words, {
    cwd: context.places.root,
    signal: tools.signal,
    onLine: (line, stream) => {
      if (stream === 'err') reason ??= line
      if (tellsDiskFull(line)) reason = line
      tools.line(line, stream)
    },
  })
  if (exitCode === 0) return
  if (tellsDiskFull(reason ?? '')) throw diskFullError(context)
  const what = `${argv[0]} could not unpack ${argv.find((word) => word.startsWith('/'))}`
  throw infraError('E_UNPACK', reason === undefined ? what : `${what}: ${reason}`, {
    hint: 'is the archive whole?',
  })
}
