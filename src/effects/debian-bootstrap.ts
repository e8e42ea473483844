import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { type DebianMirrors, renderSources } from '../core/host/apt-sources.ts'
import { infraError } from '../core/errors.ts'
import type { AptSettings } from './apt-settings.ts'
import { removeTree } from './files.ts'
import { runProcess, startProcess } from './process.ts'

export interface BootstrapRequest {
  /** Code name. */
  readonly suite: string
  /** Mirrors to use; undefined leaves the choice to the tool. */
  readonly mirrors: DebianMirrors | undefined
  readonly settings: AptSettings
  /** Packages beside the minimal ones. */
  readonly include?: readonly string[]
  /** Written before packages are unpacked that read them (debootstrap only). */
  readonly early?: readonly { readonly path: string; readonly content: string; readonly mode: number }[]
  /** Directory on a real file system in which the tree is made, and removed again. */
  readonly scratchDir: string
  readonly signal: AbortSignal
  readonly onLine?: (line: string) => void
}

/** Made by debootstrap below the scratch directory; removed when stale. */
const treePrefix = 'bootstrap-'

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** What a container image does not need of a new tree; devices come from the container engine. */
const leftOut = [
  './dev/*',
  './proc/*',
  './sys/*',
  './run/*',
  './tmp/*',
  './var/cache/apt/*.bin',
  './var/cache/apt/archives/*.deb',
  './var/lib/apt/lists/*',
  './var/log/*.log',
  './etc/hostname',
  './etc/resolv.conf',
]

/** Which tool can make a Debian tree on this machine by this user, or why none can. */
export type BootstrapTool = 'debootstrap' | 'mmdebstrap'

export function bootstrapTool(
  isRoot: boolean = process.getuid?.() === 0,
  path: string = process.env['PATH'] ?? '',
): BootstrapTool | undefined {
  const has = (program: string): boolean =>
    [...path.split(':'), '/usr/sbin', '/sbin'].some((directory) => existsSync(join(directory, program)))
  if (isRoot && has('debootstrap')) return 'debootstrap'
  if (has('mmdebstrap')) return 'mmdebstrap'
  return undefined
}

/**
 * Makes a minimal Debian with APT and certificates and hands it on as a tar stream. The stream fails when
 * making it failed, so that a consumer never sees a half tree as a whole one.
 * @param consume is given the stream; its end is awaited
 * @throws infra E_BOOTSTRAP | E_PROGRAM_MISSING, cancelled, what `consume` throws
 */
export async function bootstrapDebian(
  tool: BootstrapTool,
  request: BootstrapRequest,
  consume: (archive: Readable) => Promise<void>,
): Promise<void> {
  await mkdir(request.scratchDir, { recursive: true })
  await removeStaleTrees(request.scratchDir)
  const directory = await mkdtemp(join(request.scratchDir, treePrefix))
  try {
    if (tool === 'debootstrap') {
      const tree = join(directory, 'tree')
      await configureDpkg(tree)
      for (const { path, content, mode } of request.early ?? []) {
        await mkdir(dirname(join(tree, path)), { recursive: true })
        await writeFile(join(tree, path), content, { mode })
      }
      await debootstrap(tree, request)
      await configureApt(tree, request)
      const excluded = leftOut.map((pattern) => `--exclude=${pattern}`)
      const tar = ['tar', '-C', tree, '--numeric-owner', '--sort=name', ...excluded, '-cf', '-', '.']
      await streamOf(tar, request, consume)
    } else {
      const archive = join(directory, 'tree.tar')
      await mmdebstrap(archive, request)
      await streamOf(['cat', archive], request, consume)
    }
  } finally {
    await removeTree(directory)
  }
}

/** The caller holds the lock of the work directory, so a tree that is there belongs to a run that was killed. */
async function removeStaleTrees(scratchDir: string): Promise<void> {
  for (const name of await readdir(scratchDir)) {
    if (name.startsWith(treePrefix)) await removeTree(join(scratchDir, name))
  }
}

/**
 * Done before the first package is unpacked: a tree that is thrown away when interrupted needs no syncing
 * of every file, which takes most of the time on a busy disk, and nobody reads manuals in it.
 */
const dpkgOptions: readonly string[] = [
  'force-unsafe-io',
  ...['doc', 'info', 'locale', 'man'].map((name) => `path-exclude=/usr/share/${name}/*`),
]

async function configureDpkg(tree: string): Promise<void> {
  const directory = join(tree, 'etc/dpkg/dpkg.cfg.d')
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, '90fwbuild'), `${dpkgOptions.join('\n')}\n`)
}

const included = ({ include = [] }: BootstrapRequest): string => ['ca-certificates', ...include].join(',')

async function debootstrap(tree: string, request: BootstrapRequest): Promise<void> {
  const { suite, mirrors } = request
  const argv = [
    ...inNamespaces,
    'debootstrap',
    '--variant=minbase',
    `--include=${included(request)}`,
    ...(existsSync(keyring) ? [`--keyring=${keyring}`, '--force-check-gpg'] : []),
    suite,
    tree,
    ...(mirrors === undefined ? [] : [mirrors.archive]),
  ]
  // It is pure shell, and what it leaves is ours to remove: nothing is gained by waiting.
  await run(argv, request, 500)
}

/**
 * Mounts made below the tree vanish with the tool, and no process of it outlives us even when we are
 * killed: otherwise removing the tree could reach through a mount, or race with its maker.
 */
const inNamespaces = [
  'setpriv',
  '--pdeathsig=KILL',
  '--',
  'unshare',
  '--mount',
  '--pid',
  '--fork',
  '--kill-child',
]

async function mmdebstrap(archive: string, request: BootstrapRequest): Promise<void> {
  const { suite, mirrors } = request
  const argv = [
    'mmdebstrap',
    '--variant=apt',
    `--include=${included(request)}`,
    ...dpkgOptions.map((option) => `--dpkgopt=${option}`),
    ...aptConf(request.settings).map((line) => `--aptopt=${line}`),
    suite,
    archive,
    ...(mirrors === undefined ? [] : renderSources(mirrors, suite).trim().split('\n')),
  ]
  // It works in a directory of its own, which it removes when it is stopped.
  await run(argv, request, 10_000)
}

async function run(argv: readonly string[], request: BootstrapRequest, killGraceMs: number): Promise<void> {
  const { settings, signal, onLine } = request
  const proxy = settings.httpProxy === undefined ? {} : { http_proxy: settings.httpProxy }
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`
  const result = await runProcess(argv, {
    env: { ...process.env, ...proxy, PATH: path, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    signal,
    killGraceMs,
    ...(onLine === undefined ? {} : { onLine }),
  })
  if (result.exitCode === 0) return
  const lines = `${result.stdout}\n${result.stderr}`.split('\n').filter((line) => /^[EW]:|error/i.test(line))
  const why = lines.slice(-5).join('\n') || `exit code ${result.exitCode}`
  throw infraError('E_BOOTSTRAP', `Debian ${request.suite} could not be made: ${why}`, { retryable: true })
}

async function configureApt(tree: string, { suite, mirrors, settings }: BootstrapRequest): Promise<void> {
  const apt = join(tree, 'etc/apt')
  if (mirrors !== undefined) await writeFile(join(apt, 'sources.list'), renderSources(mirrors, suite))
  await writeFile(join(apt, 'apt.conf.d/90fwbuild'), `${aptConf(settings).join('\n')}\n`)
}

function aptConf(settings: AptSettings): readonly string[] {
  return [
    'Acquire::Languages "none";',
    ...(settings.checkValidUntil ? [] : ['Acquire::Check-Valid-Until "false";']),
  ]
}

async function streamOf(
  argv: readonly string[],
  request: BootstrapRequest,
  consume: (archive: Readable) => Promise<void>,
): Promise<void> {
  const running = await startProcess(argv, { signal: request.signal })
  running.endStdin()
  running.stderr.resume()
  try {
    await consume(running.stdout)
    const exitCode = await running.done
    if (exitCode !== 0) throw infraError('E_BOOTSTRAP', `${argv[0]} of the new tree ended with ${exitCode}`)
  } finally {
    await running.stop()
  }
}
