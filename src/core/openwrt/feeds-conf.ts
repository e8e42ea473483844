import { isPathWord } from '../path-word.ts'
import { isRefName, isRemote } from '../spec/source-reference.ts'

/** One line of feeds.conf (scripts/feeds): `src-git[-full] [--flag…] name url[;branch|^commit]`, `src-link name path`, … */
export interface FeedLine {
  readonly method: string
  /** `--force`, and from 25.12 on `--root=FOLDER`, as the tree’s scripts/feeds takes them. */
  readonly flags: readonly string[]
  readonly name: string
  readonly location: string
  readonly branch: string | undefined
  readonly commit: string | undefined
}

/** Reads the active lines of a feeds.conf; comments and blank lines are left out. */
export function parseFeedsConf(text: string): readonly FeedLine[] {
  return text.split('\n').flatMap((line) => {
    const [method, ...words] = line.trim().split(/\s+/)
    const flags = words.filter((word) => word.startsWith('--'))
    const [name, rest] = words.slice(flags.length)
    if (method === undefined || name === undefined || rest === undefined || method.startsWith('#')) return []
    const [, location = rest, mark, ref] = /^(.*?)(?:([;^])([^;^]+))?$/.exec(rest) ?? []
    return [
      {
        method,
        flags,
        name,
        location,
        branch: mark === ';' ? ref : undefined,
        commit: mark === '^' ? ref : undefined,
      },
    ]
  })
}

/**
 * Why a feed that a tree names is not fetched; undefined where it may be.
 * @param taken names of the feeds before it
 * @param local whether a path of this machine may be named: only where the user named the tree's own path
 */
export function feedProblem(
  { name, location, branch, commit }: FeedLine,
  { taken, local }: { readonly taken: ReadonlySet<string>; readonly local: boolean },
): string | undefined {
  if (!isPathWord(name)) return `‘${name}’ is no feed name`
  if (taken.has(name)) return 'there is another feed of that name'
  if (!isRefName(commit ?? branch ?? 'HEAD')) return `‘${commit ?? branch ?? ''}’ is no ref`
  if (isRemote(location)) return undefined
  if (!location.startsWith('/')) return `‘${location}’ is neither a URL nor an absolute path`
  return local ? undefined : `${location} lies on this machine, and the tree comes from elsewhere`
}

/** A feed that stands in a directory. */
export interface LinkedFeed {
  readonly flags: readonly string[]
  readonly name: string
  readonly path: string
}

/** A feeds.conf that reaches no network: every feed linked from a directory. */
export const renderFeedsConf = (feeds: readonly LinkedFeed[]): string =>
  feeds.map(({ flags, name, path }) => `${['src-link', ...flags, name, path].join(' ')}\n`).join('')
