import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { parseZfsVersion, type HostZfs } from '../core/host/zfs-host.ts'
import { runProcess } from './process.ts'

/** Where to look; other places for tests. */
export interface HostZfsPlaces {
  /** Version of the loaded module. */
  readonly moduleVersion: string
  /** Pools to import at the next boot. */
  readonly poolCache: string
  /** One directory for each imported pool. */
  readonly pools: string
  readonly env: Readonly<Record<string, string | undefined>>
}

const systemPlaces = (): HostZfsPlaces => ({
  moduleVersion: '/sys/module/zfs/version',
  poolCache: '/etc/zfs/zpool.cache',
  pools: '/proc/spl/kstat/zfs',
  env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' },
})

/** Looks for ZFS on this machine; nothing of it is changed, no module is loaded. */
export async function readHostZfs(
  signal: AbortSignal,
  places: HostZfsPlaces = systemPlaces(),
): Promise<HostZfs> {
  // `zfs version` ends with an error where the module is not loaded, after it printed its own version.
  const said = parseZfsVersion(await outputOf(['zfs', 'version'], places, signal))
  const packages = await outputOf(
    ['dpkg-query', '-W', '-f', '${Package} ${db:Status-Status} ${Version}\n', 'zfsutils-linux', 'zfs-dkms'],
    places,
    signal,
  )
  const installed = (name: string): string | undefined =>
    new RegExp(`^${name} installed (\\S+)$`, 'm').exec(packages)?.[1]
  const module = (await readFile(places.moduleVersion, 'utf8').catch(() => '')).trim()
  return {
    // The package's version is what APT compares; a self-compiled ZFS has none.
    userland: installed('zfsutils-linux') ?? said.userland,
    loaded: said.loaded ?? (module === '' ? undefined : module),
    dkms: installed('zfs-dkms') !== undefined,
    pools: existsSync(places.poolCache) || (await hasPools(places.pools)),
  }
}

async function hasPools(path: string): Promise<boolean> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  return entries.some((entry) => entry.isDirectory())
}

/** What a program printed; nothing where it is not installed. */
async function outputOf(
  argv: readonly string[],
  { env }: HostZfsPlaces,
  signal: AbortSignal,
): Promise<string> {
  try {
    return (await runProcess(argv, { signal, env })).stdout
  } catch (error) {
    if (signal.aborted) throw error
    return ''
  }
}
