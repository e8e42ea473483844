import { join } from 'node:path'
import type { Json } from '../../core/json.ts'
import type { TrustDomain } from '../../core/spec/trust-domain.ts'
import { readTextBeneath } from '../../effects/beneath/read.ts'
import type { BuildPaths } from '../build-settings.ts'

/** Folders of one trust domain; builds of others have none of them mounted, but `offered`. */
export interface DomainPlaces {
  readonly tree: string
  readonly feeds: string
  /** Records and logs, which no build sees. */
  readonly stateDir: string
  readonly ccache: string
  /** Where the build's downloads go. */
  readonly dl: string
  /** Archives that the build may read and not change; undefined where they are its own. */
  readonly offered: string | undefined
}

/**
 * The catalogue's own releases download into the folder of archives itself, the user's (--dl) or the work
 * directory's. Foreign code gets those to read, and downloads elsewhere: a later build would find what it left.
 */
export function placesOf(paths: BuildPaths, { name, origins }: TrustDomain): DomainPlaces {
  const at = (folder: string): string => join(paths.work, folder, name)
  const isForeign = origins.length > 0
  return {
    tree: at('trees'),
    feeds: at('feeds'),
    stateDir: at('builds'),
    ccache: at('ccache'),
    dl: isForeign ? at('downloads') : paths.dl,
    offered: isForeign ? paths.dl : undefined,
  }
}

/** Written beside the records, for whoever wonders what a folder is of. */
export const originsFile = 'origins.json'
export const originsText = ({ origins }: TrustDomain): Json => ({ origins: [...origins] })

/** What a domain that is known by its folders only was built of. */
export function readOrigins(work: string, name: string): readonly string[] {
  const text = readTextBeneath(work, `builds/${name}/${originsFile}`, 1 << 20)
  try {
    const { origins } = JSON.parse(text ?? '') as { readonly origins?: unknown }
    if (Array.isArray(origins) && origins.length > 0) return origins.map(String)
  } catch {
    // A build that had no session yet has not said.
  }
  return ['other sources']
}
