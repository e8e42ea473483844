/** A version of a binary package that an index offers. */
export interface AptPackage {
  readonly name: string
  readonly version: string
  /** Code name with its suffix: `bookworm`, `bookworm-security`, `trixie-backports`. */
  readonly suite: string
}

/**
 * Reads `apt-cache madison`: `name | version | URI suite/component arch Packages`, newest version first.
 * Lines of source packages are left out.
 */
export function parseMadison(text: string): readonly AptPackage[] {
  const found: AptPackage[] = []
  for (const line of text.split('\n')) {
    const [name, version, origin] = line.split('|').map((cell) => cell.trim())
    const suite = /\s([\w./-]+)\/[\w-]+ \S+ Packages$/.exec(origin ?? '')?.[1]
    if (name === undefined || version === undefined || version === '' || suite === undefined) continue
    found.push({ name, version, suite })
  }
  return found
}

/** What is wrong with one repository, read off the errors of `apt-get update`. */
export interface AptSuiteProblem {
  readonly suite: string
  /** `expired`: its signed validity ran out. `absent`: the mirror does not have it, or does not answer. */
  readonly kind: 'expired' | 'absent'
  readonly line: string
}

const suiteInUrl = /\/dists\/([\w.-]+(?:\/updates)?)\/(?:InRelease|Release|main|contrib)/

/** Problems that concern single repositories; what does not is not among them. */
export function parseUpdateProblems(lines: readonly string[]): readonly AptSuiteProblem[] {
  const problems = new Map<string, AptSuiteProblem>()
  for (const line of lines) {
    if (!/^(?:E|W|Err):/.test(line)) continue
    const expired = /Release file for (\S+) is (?:expired|not valid)/.exec(line)
    const noRelease = /The repository '\S+ (\S+) (?:In)?Release' (?:does not have|no longer has)/.exec(line)
    const failed = /Failed to fetch (\S+)/.exec(line)
    const suite = noRelease?.[1] ?? suiteInUrl.exec(expired?.[1] ?? failed?.[1] ?? '')?.[1]
    if (suite === undefined || problems.get(suite)?.kind === 'expired') continue
    problems.set(suite, { suite, kind: expired === null ? 'absent' : 'expired', line })
  }
  return [...problems.values()].sort((a, b) => (a.suite < b.suite ? -1 : 1))
}

/** Whether `apt-get download` failed because the pool no longer has what the index names. */
export const isGoneFromPool = (lines: readonly string[]): boolean =>
  lines.some((line) => /404\s+Not Found|Version '\S+' for '\S+' was not found/i.test(line))

/** Debian suites from which packages for a host of one suite are looked for, nearest first. */
export function suitesFor(hostSuite: string): readonly string[] {
  const order = ['bullseye', 'bookworm', 'trixie', 'forky', 'sid']
  const own = order.includes(hostSuite) ? hostSuite : 'bookworm'
  const newer = order.slice(order.indexOf(own) + 1).filter((suite) => suite !== 'forky')
  return [...ownSuites(own), ...newer.flatMap((suite) => ownSuites(suite))]
}

/** A suite with its updates, and backports last. */
function ownSuites(suite: string): readonly string[] {
  return suite === 'sid' ? ['sid'] : [`${suite}-security`, `${suite}-updates`, suite, `${suite}-backports`]
}
