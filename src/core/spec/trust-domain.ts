import { createHash } from 'node:crypto'
import type { Release } from '../release/catalogue.ts'
import type { OpenwrtSpec } from './openwrt-spec.ts'
import type { SourceReference } from './source-reference.ts'

/**
 * What may believe what: builds of one domain share a tree with all that was compiled in it, a compiler cache and a
 * download folder, all written by the code of these sources. Builds of another domain see none of them.
 */
export interface TrustDomain {
  /** The name of its folders: the release's own where its code is the catalogue's. */
  readonly name: string
  /** Sources that are not the catalogue's, sorted; none for a release as it is. */
  readonly origins: readonly string[]
}

/** The domain of a build, by its release and by whose code it builds. */
export function trustDomain({
  release,
  source,
  merges,
}: Pick<OpenwrtSpec, 'release' | 'source' | 'merges'>): TrustDomain {
  const named = [...(source === undefined ? [] : [source]), ...merges]
  const origins = [...new Set(named.flatMap((each) => foreignOrigin(release, each)))].sort()
  if (origins.length === 0) return { name: release.name, origins }
  const digest = createHash('sha256').update(JSON.stringify(origins)).digest('hex').slice(0, 10)
  return { name: `${release.name}-${digest}`, origins }
}

/** Whether a folder is of a domain of a release. */
export const isDomainOf = (release: string, name: string): boolean =>
  name === release ||
  (name.startsWith(`${release}-`) && /^[0-9a-f]{10}$/.test(name.slice(release.length + 1)))

/** What hosting sites keep in a repository for those who may not write to it. */
const proposed = /(?:^|\/)(?:pull|merge-requests|changes)\//

/**
 * The origin of a source that is not the release's own place in the catalogue, or nothing. A proposal that waits in
 * the catalogue's repository is whoever's made it.
 */
export function foreignOrigin(
  release: Release,
  { location, ref }: { readonly location: string; readonly ref?: SourceReference['ref'] },
): readonly string[] {
  const isOwn = release.source.kind === 'git' && location === release.source.url
  if (!isOwn) return [location]
  return ref !== undefined && proposed.test(ref) ? [`${location}#${ref}`] : []
}
