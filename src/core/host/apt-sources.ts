/** One line or stanza of APT's settings, as sources.list(5) describes both formats. */
export interface AptSource {
  readonly uris: readonly string[]
  readonly suites: readonly string[]
  readonly components: readonly string[]
  /** Key file or embedded key, when one is named. */
  readonly signedBy?: string
}

/**
 * Reads the one-line format (`sources.list`, `*.list`): `deb [ option=value … ] uri suite component…`.
 * Source packages and lines that are no entries are left out.
 */
export function parseSourcesList(text: string): readonly AptSource[] {
  const sources: AptSource[] = []
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?([^#]*)/.exec(line)
    if (match === null) continue
    const [uri, suite, ...components] = wordsOf(match[2] ?? '')
    if (uri === undefined || suite === undefined) continue
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(match[1] ?? '')?.[1]
    sources.push({
      uris: [uri],
      suites: [suite],
      components,
      ...(signedBy === undefined ? {} : { signedBy }),
    })
  }
  return sources
}

/** Reads the deb822 format (`*.sources`): stanzas of `Field: value` with continuation lines. */
export function parseDeb822Sources(text: string): readonly AptSource[] {
  const sources: AptSource[] = []
  const uncommented = text.split('\n').filter((line) => !line.startsWith('#'))
  for (const stanza of uncommented.join('\n').split(/\n[ \t]*(?:\n[ \t]*)*\n/)) {
    const fields = fieldsOf(stanza)
    const enabled = fields.get('enabled')?.trim().toLowerCase() ?? 'yes'
    if (['no', 'false', '0', 'off', 'without', 'disable'].includes(enabled)) continue
    if (!wordsOf(fields.get('types') ?? '').includes('deb')) continue
    const uris = wordsOf(fields.get('uris') ?? '')
    const suites = wordsOf(fields.get('suites') ?? '')
    if (uris.length === 0 || suites.length === 0) continue
    const signedBy = fields.get('signed-by')?.trim()
    sources.push({
      uris,
      suites,
      components: wordsOf(fields.get('components') ?? ''),
      ...(signedBy === undefined ? {} : { signedBy }),
    })
  }
  return sources
}

function fieldsOf(stanza: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  let name: string | undefined
  for (const line of stanza.split('\n')) {
    if (/^[ \t]/.test(line)) {
      if (name !== undefined) fields.set(name, `${fields.get(name) ?? ''}\n${line}`)
      continue
    }
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    name = line.slice(0, colon).trim().toLowerCase()
    fields.set(name, line.slice(colon + 1))
  }
  return fields
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

/** Where a machine gets Debian from. */
export interface DebianMirrors {
  readonly archive: string
  /** Whether the archive has `<suite>-updates` too; archives of ended suites may not. */
  readonly updates: boolean
  /** Separate on every ordinary mirror; absent where the machine has none set. */
  readonly security?: string
}

/**
 * Picks Debian's own mirrors out of a machine's settings, which may name any number of other
 * repositories; undefined where none looks like Debian's.
 */
export function debianMirrorsOf(sources: readonly AptSource[]): DebianMirrors | undefined {
  const usable = sources.flatMap((source) =>
    source.uris.filter((uri) => /^https?:\/\//.test(uri)).map((uri) => ({ ...source, uri: trimUri(uri) })),
  )
  const securityUris = usable
    .filter((source) => source.suites.some((suite) => /-security$|\/updates$/.test(suite)))
    .filter(looksLikeDebian)
    .map(({ uri }) => uri)
  const updates = new Set(
    usable.filter(({ suites }) => suites.some((suite) => suite.endsWith('-updates'))).map(({ uri }) => uri),
  )
  const archive = usable
    .filter(({ suites }) => suites.some((suite) => /^[a-z]+$/.test(suite)))
    .filter(({ components }) => components.includes('main'))
    .filter((source) => looksLikeDebian(source) || updates.has(source.uri))
    // One that has the point-release updates as well is surely a whole mirror.
    .sort((a, b) => Number(updates.has(b.uri)) - Number(updates.has(a.uri)))[0]?.uri
  if (archive === undefined) return undefined
  const security = securityUris[0]
  return { archive, updates: true, ...(security === undefined ? {} : { security }) }
}

function looksLikeDebian(source: AptSource & { readonly uri: string }): boolean {
  if (source.signedBy !== undefined && /debian-archive-[\w-]*keyring/.test(source.signedBy)) return true
  return /\/debian(-security)?$/.test(source.uri) || /security\.debian\b/.test(source.uri)
}

const trimUri = (uri: string): string => uri.replace(/\/+$/, '')

/**
 * Sources for a suite on given mirrors, in the one-line format every APT reads.
 * @param suite code name
 */
export function renderSources(mirrors: DebianMirrors, suite: string): string {
  const lines = [`deb ${mirrors.archive} ${suite} main`]
  if (mirrors.updates) lines.push(`deb ${mirrors.archive} ${suite}-updates main`)
  if (mirrors.security !== undefined) lines.push(`deb ${mirrors.security} ${securitySuite(suite)} main`)
  return `${lines.join('\n')}\n`
}

/** Name of a suite's security updates on the security mirror. */
export function securitySuite(suite: string): string {
  return ['stretch', 'buster'].includes(suite) ? `${suite}/updates` : `${suite}-security`
}
