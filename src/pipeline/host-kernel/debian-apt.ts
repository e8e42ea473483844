import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { infraError } from '../../core/errors.ts'
import {
  isGoneFromPool,
  parseMadison,
  parseUpdateProblems,
  type AptPackage,
} from '../../core/host/apt-output.ts'
import {
  debianMirrorsOf,
  parseDeb822Sources,
  parseSourcesList,
  type DebianMirrors,
} from '../../core/host/apt-sources.ts'
import { canonicalJson } from '../../core/json.ts'
import { pathWord } from '../../core/path-word.ts'
import { readAptSettings } from '../../effects/apt-settings.ts'
import { archiveIn, storeArchive, type Archive } from '../../effects/archive-store.ts'
import type { BuildArea } from '../../effects/beneath/area.ts'
import type { Session } from '../../effects/engine.ts'
import { atomicWrite } from '../../effects/files.ts'

export type { AptPackage }

/** Debian's packages of several suites, fetched and verified by an APT of their own. */
export interface DebianApt {
  /** Reads the indexes (network) once; later calls do nothing. Suites that do not answer are left out with a note. */
  readonly update: () => Promise<void>
  /** Names of binary packages that begin so, sorted. */
  readonly names: (prefix: string) => Promise<readonly string[]>
  /** All versions of a binary package, newest first within a suite, suites in the given order. */
  readonly versions: (name: string) => Promise<readonly AptPackage[]>
  /**
   * Path on this machine of the verified .deb; no network where it was fetched before.
   * @throws infra E_APT_GONE when the pool no longer has it, E_APT_FETCH
   */
  readonly download: (wanted: AptPackage) => Promise<string>
  /** A package with all it depends on, for a root of its own: paths of .debs. */
  readonly downloadWithDependencies: (wanted: AptPackage) => Promise<readonly string[]>
}

export interface DebianAptOptions {
  /** Of its own: no build writes to what it sees. */
  readonly session: Session
  /** APT's settings, state and downloads; mounted in the session. */
  readonly area: BuildArea
  /** Where fetched packages are kept for builds. */
  readonly store: string
  /** What is known of them; seen by no session. */
  readonly recordsDir: string
  /** Looked at in this order. */
  readonly suites: readonly string[]
  readonly mirror: string | undefined
  readonly offline: boolean
  readonly signal: AbortSignal
  readonly line: (text: string) => void
  readonly note: (text: string) => void
}

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/**
 * An APT with indexes, settings and cache apart from the machine's, run as the build user: what it fetches was
 * verified by Debian's signatures whatever the machine trusts.
 */
export async function debianApt(options: DebianAptOptions): Promise<DebianApt> {
  const apt = await openApt(options)
  let updated: Promise<void> | undefined
  return {
    update: () => (updated ??= updateIndexes(apt)),
    names: async (prefix) => (await apt.run(['apt-cache', 'pkgnames', prefix])).out.sort(),
    versions: async (name) => {
      const { out } = await apt.run(['apt-cache', 'madison', name])
      const all = parseMadison(out.join('\n')).filter((each) => each.name === name)
      const place = ({ suite }: AptPackage): number => options.suites.indexOf(suite)
      return all.toSorted((a, b) => place(a) - place(b))
    },
    download: (wanted) => download(apt, wanted),
    downloadWithDependencies: (wanted) => downloadAll(apt, wanted),
  }
}

interface Apt extends DebianAptOptions {
  readonly mirrors: DebianMirrors
  readonly run: (
    argv: readonly string[],
    how?: { readonly cwd?: string; readonly network?: 'online' },
  ) => Promise<{ readonly exitCode: number; readonly out: string[]; readonly all: readonly string[] }>
}

async function openApt(options: DebianAptOptions): Promise<Apt> {
  const { area, session, signal } = options
  const dir = area.root
  const folders = [
    'state/lists/partial',
    'cache/archives/partial',
    'etc/apt.conf.d',
    'etc/preferences.d',
    'log',
  ]
  // Settings that an earlier run may have left are none of ours.
  await area.remove(join(dir, 'etc'))
  for (const folder of folders) area.makeFolder(join(dir, folder))
  const settings = await readAptSettings(signal)
  area.write(join(dir, 'status'), '')
  area.write(join(dir, 'apt.conf'), aptConf(session.inside(dir), settings.httpProxy))
  const run: Apt['run'] = async (argv, { cwd = dir, network } = {}) => {
    const out: string[] = []
    const all: string[] = []
    const { exitCode } = await session.exec(argv, {
      cwd,
      env: { APT_CONFIG: session.inside(join(dir, 'apt.conf')), LC_ALL: 'C' },
      signal,
      ...(network === undefined ? {} : { network }),
      onLine: (line, stream) => {
        all.push(line)
        if (stream === 'out') out.push(line)
        if (network !== undefined) options.line(line)
      },
    })
    return { exitCode, out, all }
  }
  const mirrors =
    options.mirror === undefined
      ? (settings.mirrors ?? (await ownMirrors(run)))
      : { archive: options.mirror, updates: true }
  return { ...options, mirrors, run }
}

/** Those of the system that the session is: a base image knows its mirror also where this machine is no Debian. */
async function ownMirrors(run: Apt['run']): Promise<DebianMirrors> {
  const files = await run(['find', '/etc/apt', '-name', '*.list', '-o', '-name', '*.sources'])
  const texts = await Promise.all(files.out.map(async (file) => (await run(['cat', file])).out.join('\n')))
  const sources = texts.flatMap((text) => [...parseSourcesList(text), ...parseDeb822Sources(text)])
  const mirrors = debianMirrorsOf(sources)
  if (mirrors !== undefined) return mirrors
  throw infraError('E_APT_MIRROR', 'no Debian mirror is known here', { hint: 'name one with --mirror URL' })
}

const aptConf = (inside: string, httpProxy: string | undefined): string =>
  [
    `Dir "${inside}/";`,
    'Dir::Etc "etc/";',
    `Dir::Etc::sourcelist "${inside}/sources.list";`,
    'Dir::Etc::sourceparts "/dev/null";',
    'Dir::State "state/";',
    `Dir::State::status "${inside}/status";`,
    'Dir::Cache "cache/";',
    'Dir::Log "log/";',
    'APT::Sandbox::User "";',
    'APT::Architecture "amd64";',
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    'Acquire::Retries "2";',
    'Acquire::http::Timeout "30";',
    'Acquire::AllowInsecureRepositories "false";',
    'Debug::NoLocking "true";',
    ...(httpProxy === undefined ? [] : [`Acquire::http::Proxy "${httpProxy}";`]),
    '',
  ].join('\n')

/** Old APTs want the name of the security suite of their time. */
function sourcesList(
  { mirrors, suites }: Apt,
  left: ReadonlySet<string>,
  expired: ReadonlySet<string>,
): string {
  const lines = suites
    .filter((suite) => !left.has(suite))
    .map((suite) => {
      const uri = suite.endsWith('-security') ? (mirrors.security ?? mirrors.archive) : mirrors.archive
      const validity = expired.has(suite) ? ' check-valid-until=no' : ''
      return `deb [signed-by=${keyring}${validity}] ${uri} ${suite} main contrib`
    })
  return `${lines.join('\n')}\n`
}

const updateAttempts = 4

async function updateIndexes(apt: Apt): Promise<void> {
  const list = join(apt.area.root, 'sources.list')
  if (apt.offline) {
    if (apt.area.isFile(list)) return
    throw infraError('E_APT_FETCH', '--offline was given, and Debian’s indexes were never fetched', {
      hint: 'run the same command once without --offline',
    })
  }
  const left = new Set<string>()
  const expired = new Set<string>()
  for (let attempt = 1; attempt <= updateAttempts; attempt += 1) {
    apt.area.write(list, sourcesList(apt, left, expired))
    const { exitCode, all } = await apt.run(['apt-get', 'update', '-q'], { network: 'online' })
    const problems = parseUpdateProblems(all).filter(({ suite }) => !left.has(suite))
    if (exitCode === 0 && problems.length === 0) return
    for (const { suite, kind, line } of problems) {
      if (kind === 'expired' && !expired.has(suite)) {
        expired.add(suite)
        apt.note(`the index of ${suite} is past its validity; its signature was checked all the same`)
      } else {
        left.add(suite)
        apt.note(`${suite} is left out: ${line.replace(/^\w+:\s*/, '')}`)
      }
    }
    if (problems.length === 0 || left.size === apt.suites.length || attempt === updateAttempts)
      throw fetchError('Debian’s indexes', apt, all)
  }
}

const fetchError = (what: string, { mirrors }: Apt, lines: readonly string[]): Error => {
  const errors = lines.filter((line) => /^(?:E|W|Err):/.test(line)).slice(-4)
  return infraError(
    'E_APT_FETCH',
    [`${what} could not be fetched from ${mirrors.archive}:`, ...errors].join('\n  '),
    {
      hint: 'name a mirror that answers with --mirror URL, or a kernel source with --source',
      retryable: true,
    },
  )
}

async function download(apt: Apt, wanted: AptPackage): Promise<string> {
  const { name, version } = wanted
  const present = await presentPackage(apt, wanted)
  if (present !== undefined) return present
  if (apt.offline) {
    throw infraError('E_APT_FETCH', `--offline was given, and ${name} ${version} was not fetched before`)
  }
  const { area, store, signal } = apt
  const work = join(area.root, 'work')
  await area.remove(work)
  area.makeFolder(work)
  const { exitCode, all } = await apt.run(['apt-get', 'download', '-q', `${name}=${version}`], {
    cwd: work,
    network: 'online',
  })
  const file = area.names(work).find((each) => each.endsWith('.deb'))
  if (exitCode !== 0 || file === undefined) {
    if (isGoneFromPool(all)) {
      throw infraError(
        'E_APT_GONE',
        `the mirror’s index names ${name} ${version}, but its pool no longer has it`,
        {
          retryable: true,
        },
      )
    }
    throw fetchError(`${name} ${version}`, apt, all)
  }
  const stored = await storeArchive(store, area.root, `work/${file}`, signal)
  await area.remove(work)
  await atomicWrite(recordOf(apt, wanted), canonicalJson({ name: stored.name, sha256: stored.sha256 }))
  return stored.path
}

/** Name and version of a package as one word: a colon is the epoch's. */
const packageWord = ({ name, version }: AptPackage): string =>
  pathWord('the package', `${name}_${version.replaceAll(':', '%3a')}`)

const recordOf = ({ recordsDir }: Apt, wanted: AptPackage): string =>
  join(recordsDir, `${packageWord(wanted)}.json`)

/** Fetched and verified before and unchanged since; anything else is fetched again. */
async function presentPackage(apt: Apt, wanted: AptPackage): Promise<string | undefined> {
  const record = recordOf(apt, wanted)
  if (!existsSync(record)) return undefined
  const archive = JSON.parse(await readFile(record, 'utf8')) as Archive
  const path = await archiveIn(apt.store, archive, apt.signal)
  if (path === undefined) apt.note(`${archive.name} is not what was fetched; fetching it again`)
  return path
}

async function downloadAll(apt: Apt, wanted: AptPackage): Promise<readonly string[]> {
  const { area, signal, store } = apt
  const { name, version, suite } = wanted
  const archives = join(area.root, 'with-dependencies', packageWord(wanted))
  area.makeFolder(join(archives, 'partial'))
  const argv = [
    'apt-get',
    'install',
    '-q',
    '-y',
    '--download-only',
    '-t',
    suite,
    '-o',
    `Dir::Cache::archives=${apt.session.inside(archives)}`,
    `${name}=${version}`,
  ]
  const { exitCode, all } = await apt.run(argv, apt.offline ? {} : { network: 'online' })
  if (exitCode !== 0) throw fetchError(`${name} ${version} with what it depends on`, apt, all)
  const stored: string[] = []
  for (const file of area.names(archives).filter((each) => each.endsWith('.deb'))) {
    const path = relative(area.root, join(archives, file))
    stored.push((await storeArchive(store, area.root, path, signal)).path)
  }
  return stored
}
