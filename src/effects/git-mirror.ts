import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { SimpleGit } from 'simple-git'
import { infraError, messageOf, usageError } from '../core/errors.ts'
import { hostOf, isUrl } from '../core/spec/source-reference.ts'
import { atomicWrite } from './files.ts'
import { gitCommit, gitMaybe, gitRaw, gitReason, openGit, openGitOfUser } from './git.ts'

export interface ResolvedSource {
  readonly location: string
  readonly ref: string
  readonly commit: string
  /** Things the user should know, e.g. that the source was not reachable and an earlier fetch is used. */
  readonly notes: readonly string[]
}

export interface MirrorOptions {
  /** Bare repository shared by all builds of a work directory. */
  readonly gitDir: string
  readonly signal: AbortSignal
  readonly offline: boolean
  readonly onProgress?: (text: string) => void
  /** Only the commit itself, without its history. */
  readonly shallow?: boolean
}

const fullHash = /^[0-9a-f]{40}$/

/** The bare repository that all sources are fetched into; made on first use. */
export async function openMirror(options: MirrorOptions): Promise<SimpleGit> {
  if (!existsSync(join(options.gitDir, 'HEAD'))) {
    await mkdir(options.gitDir, { recursive: true })
    await gitRaw(openGit(options.gitDir, options), ['init', '-q', '--bare', '--initial-branch=main'])
  }
  return openGit(options.gitDir, options)
}

/**
 * Finds the commit a source names now, without fetching it.
 * @throws usage error for a ref or path that does not exist, infra error for a host that does not answer
 */
export async function resolveSource(
  location: string,
  ref: string,
  options: MirrorOptions,
): Promise<ResolvedSource> {
  const mirror = await openMirror(options)
  if (fullHash.test(ref)) {
    return { location, ref, commit: ref, notes: [] }
  }
  if (!isUrl(location)) return resolveLocal(location, ref, options)
  const known = await gitCommit(mirror, mirrorRef(location, ref))
  if (options.offline) {
    if (known !== undefined) return { location, ref, commit: known, notes: [] }
    throw unreachable(location, '--offline was given and nothing was fetched from it before')
  }
  try {
    const listed = await gitRaw(mirror, [
      'ls-remote',
      '--',
      location,
      ref,
      `refs/heads/${ref}`,
      `refs/tags/${ref}^{}`,
    ])
    const commit = pickRemote(listed, ref)
    if (commit === undefined) {
      throw usageError('E_REF_UNKNOWN', `${location} has no branch, tag or ref ‘${ref}’`)
    }
    return { location, ref, commit, notes: [] }
  } catch (error) {
    if (options.signal.aborted || !messageOf(error).includes('fatal')) throw error
    if (known === undefined) throw unreachable(location, gitReason(error), error)
    const note = `${hostOf(location)} could not be reached; using ${known.slice(0, 10)}, fetched earlier`
    return { location, ref, commit: known, notes: [note] }
  }
}

async function resolveLocal(location: string, ref: string, options: MirrorOptions): Promise<ResolvedSource> {
  if (!existsSync(location)) {
    throw usageError('E_SOURCE_MISSING', `the source ${location} does not exist`, {
      hint: 'name a git repository: --source URL|PATH[#REF]',
    })
  }
  const git = openGitOfUser(location, options)
  if (!(await isRepository(git, location))) {
    throw usageError('E_SOURCE_NOT_GIT', `${location} is not a git repository`, {
      hint: 'make it one (git init, git add, git commit) or name its clone',
    })
  }
  for (const name of [ref, `refs/heads/${ref}`, `refs/remotes/origin/${ref}`]) {
    const commit = await gitCommit(git, name)
    if (commit !== undefined) return { location, ref, commit, notes: await dirtyNotes(git, location) }
  }
  throw usageError('E_REF_UNKNOWN', `${location} has no branch, tag or commit ‘${ref}’`, {
    hint: `its branches: ${((await gitMaybe(git, ['for-each-ref', '--format=%(refname:short)', 'refs/heads'])) ?? '').split('\n').slice(0, 20).join(', ')}`,
  })
}

/** @throws usage E_SOURCE_OWNER where git refuses it for its owner's sake */
async function isRepository(git: SimpleGit, location: string): Promise<boolean> {
  try {
    await gitRaw(git, ['rev-parse', '--git-dir'])
    return true
  } catch (error) {
    if (!messageOf(error).includes('dubious ownership')) return false
    throw usageError('E_SOURCE_OWNER', `${location} belongs to another user, whose settings git would heed`, {
      cause: error,
      hint: `clone it as yourself, or trust its owner: git config --global --add safe.directory ${location}`,
    })
  }
}

async function dirtyNotes(git: SimpleGit, location: string): Promise<readonly string[]> {
  if ((await gitMaybe(git, ['rev-parse', '--is-inside-work-tree'])) !== 'true') return []
  const status = await gitMaybe(git, ['status', '--porcelain', '--untracked-files=no'])
  return status === undefined || status === '' ? [] : [`uncommitted changes in ${location} are not built`]
}

/**
 * Brings a resolved commit with its history into the mirror.
 * A local clone that lacks objects (a partial clone) is borrowed from by way of git's alternates.
 * @returns notes for the user
 */
export async function fetchSource(
  source: ResolvedSource,
  options: MirrorOptions,
): Promise<readonly string[]> {
  const mirror = await openMirror(options)
  const keep = mirrorRef(source.location, source.ref)
  if (await hasCommit(mirror, source.commit)) {
    await gitRaw(mirror, ['update-ref', keep, source.commit])
    return []
  }
  if (options.offline && isUrl(source.location)) {
    throw unreachable(
      source.location,
      `--offline was given and commit ${source.commit} was not fetched before`,
    )
  }
  const wanted = fullHash.test(source.ref) ? source.commit : source.ref
  const depth = options.shallow === true ? ['--depth=1'] : []
  try {
    await gitRaw(mirror, [
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      ...depth,
      '--',
      source.location,
      `+${wanted}:${keep}`,
    ])
    if (await hasCommit(mirror, source.commit)) return []
    await gitRaw(mirror, [
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      ...depth,
      '--',
      source.location,
      `+${source.commit}:${keep}`,
    ])
    return []
  } catch (error) {
    if (options.signal.aborted) throw error
    if (isUrl(source.location)) throw unreachable(source.location, gitReason(error), error)
    return borrow(mirror, source, keep, options)
  }
}

async function borrow(
  mirror: SimpleGit,
  source: ResolvedSource,
  keep: string,
  options: MirrorOptions,
): Promise<readonly string[]> {
  const theirs = openGitOfUser(source.location, options)
  if ((await gitCommit(theirs, source.commit)) === undefined) {
    throw usageError('E_REF_UNKNOWN', `${source.location} has no commit ${source.commit}`, {
      hint: 'fetch it there; where a lock file pins it: fwbuild lock --update renews the pins',
    })
  }
  const objects = await objectsOf(theirs, source.location)
  await writeBorrowed(options.gitDir, [...(await borrowedObjects(options.gitDir)), objects])
  if (!(await hasCommit(mirror, source.commit))) {
    throw infraError('E_GIT', `${source.location} has no complete commit ${source.commit}`)
  }
  await gitRaw(mirror, ['update-ref', keep, source.commit])
  return [`${source.location} is an incomplete clone; its objects are used in place`]
}

/** Writes the files of a commit as a tar archive. */
export async function archiveCommit(options: MirrorOptions, commit: string, tar: string): Promise<void> {
  await gitRaw(await openMirror(options), ['archive', '--format=tar', `--output=${tar}`, commit])
}

const objectsOf = async (git: SimpleGit, location: string): Promise<string> =>
  resolve(location, await gitRaw(git, ['rev-parse', '--git-path', 'objects']))

const alternatesOf = (gitDir: string): string => join(gitDir, 'objects/info/alternates')

/** Object directories outside the mirror that it borrows from; a container must see them too. */
export async function borrowedObjects(gitDir: string): Promise<readonly string[]> {
  const file = alternatesOf(gitDir)
  if (!existsSync(file)) return []
  return (await readFile(file, 'utf8')).split('\n').filter(Boolean)
}

async function writeBorrowed(gitDir: string, folders: readonly string[]): Promise<void> {
  const lines = [...new Set(folders)].sort()
  if (lines.length === 0) await rm(alternatesOf(gitDir), { force: true })
  else await atomicWrite(alternatesOf(gitDir), `${lines.join('\n')}\n`)
}

/**
 * Gives back what earlier builds borrowed: the mirror goes on borrowing from the named sources only, so that no
 * build sees the repositories of another. What lacks objects then is borrowed again when it is fetched.
 */
export async function borrowOnlyFrom(locations: readonly string[], options: MirrorOptions): Promise<void> {
  const present = await borrowedObjects(options.gitDir)
  if (present.length === 0) return
  const wanted = new Set<string>()
  for (const location of locations.filter((each) => !isUrl(each) && existsSync(each))) {
    const found = await objectsOf(openGitOfUser(location, options), location).catch(() => undefined)
    if (found !== undefined) wanted.add(found)
  }
  await writeBorrowed(
    options.gitDir,
    present.filter((folder) => wanted.has(folder)),
  )
}

const hasCommit = async (mirror: SimpleGit, commit: string): Promise<boolean> =>
  (await gitMaybe(mirror, ['rev-list', '--max-count=1', commit])) !== undefined

/**
 * Whether a commit that is known by its hash can be had: it was fetched before, or its place answers.
 * @throws what resolveSource throws
 */
export async function requireReachable(
  location: string,
  commit: string,
  options: MirrorOptions,
): Promise<void> {
  if (await hasCommit(await openMirror(options), commit)) return
  await resolveSource(location, 'HEAD', options)
}

/** Where a source's ref is kept in the mirror. */
function mirrorRef(location: string, ref: string): string {
  const place = createHash('sha256').update(location).digest('hex').slice(0, 12)
  return `refs/sources/${place}/${ref.replace(/^refs\//, '').replaceAll(/[^\w./-]/g, '_')}`
}

function pickRemote(listed: string, ref: string): string | undefined {
  const rows = listed.split('\n').map((line) => line.split('\t'))
  const names = [`refs/tags/${ref}^{}`, ref, `refs/heads/${ref}`, `refs/tags/${ref}`]
  for (const name of names) {
    const row = rows.find((candidate) => candidate[1] === name)
    if (row?.[0] !== undefined) return row[0]
  }
  return undefined
}

function unreachable(location: string, reason: string, cause?: unknown): Error {
  return infraError(
    'E_SOURCE_UNREACHABLE',
    `${hostOf(location)} could not be reached for ${location}: ${reason}`,
    {
      cause,
      retryable: true,
      hint: [
        'without that host, use one of:',
        '  --source PATH[#REF]   a clone you already have',
        '  --mirror URL          another Debian mirror for the buildroot image',
        '  --dl DIR              source archives you already have',
        '  --release mini        the built-in miniature, which needs Debian packages only',
      ].join('\n'),
    },
  )
}
