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

/** A feed that stands in a directory. */
export interface LinkedFeed {
  readonly flags: readonly string[]
  readonly name: string
  readonly path: string
}

/** A feeds.conf that reaches no network: every feed linked from a directory. */
export const renderFeedsConf = (feeds: readonly LinkedFeed[]): string =>
  feeds.map(({ flags, name, path }) => `${['src-link', ...flags, name, path].join(' ')}\n`).join('')
