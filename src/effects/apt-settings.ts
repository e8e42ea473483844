import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AptSource,
  type DebianMirrors,
  debianMirrorsOf,
  parseDeb822Sources,
  parseSourcesList,
} from '../core/host/apt-sources.ts'
import { runProcess } from './process.ts'

/** The parts of a machine's APT settings that matter where its mirrors are used for another Debian. */
export interface AptSettings {
  readonly mirrors: DebianMirrors | undefined
  readonly httpProxy?: string
  /** False where the machine accepts mirrors whose signed validity has run out (snapshots, ended suites). */
  readonly checkValidUntil: boolean
}

/**
 * Reads this machine's APT settings; a machine without APT has none.
 * @param etc directory of the settings, `/etc/apt`
 */
export async function readAptSettings(signal: AbortSignal, etc = '/etc/apt'): Promise<AptSettings> {
  const sources = await readSources(etc)
  const settings = await aptConfig(signal)
  const httpProxy = settings.get('PROXY')
  return {
    mirrors: debianMirrorsOf(sources),
    ...(httpProxy === undefined || httpProxy === 'DIRECT' ? {} : { httpProxy }),
    checkValidUntil: settings.get('VALID') !== 'false',
  }
}

async function readSources(etc: string): Promise<readonly AptSource[]> {
  const directory = join(etc, 'sources.list.d')
  const names = (await readdir(directory).catch((): string[] => [])).sort()
  const sources = parseSourcesList(await textOf(join(etc, 'sources.list')))
  const more = await Promise.all(
    names.map(async (name) => {
      if (name.endsWith('.list')) return parseSourcesList(await textOf(join(directory, name)))
      if (name.endsWith('.sources')) return parseDeb822Sources(await textOf(join(directory, name)))
      return []
    }),
  )
  return Promise.all([...sources, ...more.flat()].map(withMirrorFile))
}

/** `mirror+file:/path` (as in cloud images) names a list of mirrors, best first. */
async function withMirrorFile(source: AptSource): Promise<AptSource> {
  const uris = await Promise.all(
    source.uris.map(async (uri) => {
      if (!uri.startsWith('mirror+file:')) return uri
      const list = await textOf(uri.slice('mirror+file:'.length).replace(/^\/+/, '/'))
      return /^https?:\/\/\S+/m.exec(list)?.[0] ?? uri
    }),
  )
  return { ...source, uris }
}

/** An unreadable file is one more source that is not known. */
const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')

async function aptConfig(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const argv = [
    'apt-config',
    'shell',
    'PROXY',
    'Acquire::http::Proxy',
    'VALID',
    'Acquire::Check-Valid-Until/b',
  ]
  const values = new Map<string, string>()
  try {
    const { stdout } = await runProcess(argv, { signal })
    for (const [, name, value] of stdout.matchAll(/^(\w+)='([^']*)'$/gm)) values.set(name ?? '', value ?? '')
  } catch (error) {
    if (signal.aborted) throw error
    // No APT here.
  }
  return values
}
