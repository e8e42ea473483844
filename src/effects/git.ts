import { setMaxListeners } from 'node:events'
import { simpleGit, type SimpleGit } from 'simple-git'
import { tellsDiskFull } from '../core/disk-full.ts'
import { cancelledError, infraError, messageOf } from '../core/errors.ts'

const silenceMs = 30 * 60_000

/** Author and committer of every commit fwbuild makes, so that equal input gives equal commit ids. */
const identity = { name: 'fwbuild', email: 'fwbuild@localhost' }

const passedOn = ['PATH', 'HOME', 'SSH_AUTH_SOCK', 'GIT_SSL_CAINFO', 'GIT_SSL_CAPATH', 'SUDO_UID']
const proxies = ['http_proxy', 'https_proxy', 'no_proxy', 'all_proxy']

export interface GitOptions {
  readonly signal: AbortSignal
  readonly indexFile?: string
  /** Any directory: a bare repository needs one before it takes files out of an index. */
  readonly workTree?: string
  /** Seconds since 1970 that new commits carry. */
  readonly commitDate?: number
}

/**
 * git in a repository of fwbuild's own, which is named and not looked for, so that nothing that lies in a work
 * tree is taken for one. The caller's own settings are heeded: they hold credentials and proxies.
 */
export const openGit = (gitDir: string, options: GitOptions): SimpleGit =>
  gitIn(options.workTree ?? gitDir, { GIT_DIR: gitDir }, options)

/** A work tree and the folder with its HEAD and index, which lies where no build can write. */
export interface WorktreePlace {
  readonly adminDir: string
  readonly path: string
}

/**
 * git on a work tree that others write to. Whatever `.git`, attributes or modules they left there name no
 * repository, no configuration and no program, and the caller's own filters are not run on their files.
 */
export const openWorktreeGit = (
  { adminDir, path }: WorktreePlace,
  options: Pick<GitOptions, 'signal'>,
): SimpleGit =>
  gitIn(
    path,
    {
      GIT_DIR: adminDir,
      GIT_WORK_TREE: path,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_SYSTEM: '/dev/null',
      GIT_ATTR_NOSYSTEM: '1',
    },
    options,
  )

/** git in a directory of the user's: it finds the repository itself, and refuses one of another owner. */
export const openGitOfUser = (directory: string, options: GitOptions): SimpleGit =>
  gitIn(directory, {}, options)

/** What a repository's own configuration could run or reach. */
const harmless = [
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'core.protectHFS=true',
  'core.protectNTFS=true',
  'core.quotePath=false',
  'gc.auto=0',
  'submodule.recurse=false',
  // A server that sends next to nothing is given up.
  'http.lowSpeedLimit=1000',
  'http.lowSpeedTime=60',
]

/** Never prompting, with a fixed identity, over ordinary protocols. */
function gitIn(directory: string, place: Readonly<Record<string, string>>, options: GitOptions): SimpleGit {
  const own: Record<string, string> = {
    ...place,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: identity.name,
    GIT_AUTHOR_EMAIL: identity.email,
    GIT_COMMITTER_NAME: identity.name,
    GIT_COMMITTER_EMAIL: identity.email,
    // git(1): none of those that name a program.
    GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
  }
  if (options.indexFile !== undefined) own['GIT_INDEX_FILE'] = options.indexFile
  if (options.workTree !== undefined) own['GIT_WORK_TREE'] = options.workTree
  if (options.commitDate !== undefined) {
    own['GIT_AUTHOR_DATE'] = own['GIT_COMMITTER_DATE'] = `${options.commitDate} +0000`
  }
  // simple-git listens once for each instance, of which a build opens dozens on one signal.
  setMaxListeners(0, options.signal)
  const inherited = Object.entries(process.env).filter(
    ([name]) => passedOn.includes(name) || proxies.includes(name.toLowerCase()),
  )
  return simpleGit({
    baseDir: directory,
    // Longer than any real checkout or fetch is silent.
    timeout: { block: silenceMs },
    abort: options.signal,
    config: harmless,
    // What simple-git calls unsafe is set to nothing here.
    unsafe: { allowUnsafeHooksPath: true, allowUnsafeFsMonitor: true, allowUnsafeConfigPaths: true },
    allowEnvironment: [...Object.keys(own), ...passedOn],
  }).env({ ...Object.fromEntries(inherited), ...own })
}

/** One git command; its output without the final newline. */
export async function gitRaw(git: SimpleGit, args: readonly string[]): Promise<string> {
  return (await git.raw([...args])).replace(/\n$/, '')
}

/** Like gitRaw, but `undefined` when git fails; for questions whose answer may be no. */
export async function gitMaybe(git: SimpleGit, args: readonly string[]): Promise<string | undefined> {
  try {
    return await gitRaw(git, args)
  } catch {
    return undefined
  }
}

/** The commit a revision names, or `undefined`; `rev-parse --quiet` fails without a word. */
export async function gitCommit(git: SimpleGit, revision: string): Promise<string | undefined> {
  const commit = await gitMaybe(git, ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`])
  return commit === '' ? undefined : commit
}

/** Last line that git printed on its own behalf, e.g. `fatal: couldn't find remote ref x`. */
export function gitReason(error: unknown): string {
  const lines = messageOf(error).split('\n')
  return (lines.findLast((line) => /^(fatal|error):/.test(line)) ?? lines.at(-1) ?? '').trim()
}

/** Runs git work and turns whatever it throws into one infra error (or the cancelled error). */
export async function translatingGit<T>(
  what: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (signal.aborted) throw cancelledError()
    if (error instanceof Error && 'exitCode' in error && 'hint' in error) throw error
    const reason = gitReason(error)
    if (!tellsDiskFull(messageOf(error))) throw infraError('E_GIT', `${what}: ${reason}`, { cause: error })
    throw infraError('E_DISK_FULL', `no space left: ${what}: ${reason}`, {
      cause: error,
      hint: 'free some space and run the same command again; it continues where it stopped',
      retryable: true,
    })
  }
}
