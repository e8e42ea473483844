/** One line of feeds.conf (scripts/feeds): `src-git[-full] name url[;branch|^commit]`, `src-link name path`, … */
export interface FeedLine {
  readonly method: string
  readonly name: string
  readonly location: string
  readonly branch: string | undefined
  readonly commit: string | undefined
}

/** Reads the active lines of a feeds.conf; comments and blank lines are left out. */
export function parseFeedsConf(text: string): readonly FeedLine[] {
  return text.split('\n').flatMap((line) => {
    const [method, name, rest] = line.trim().split(/\s+/)
    if (method === undefined || name === undefined || rest === undefined || method.startsWith('#')) return []
    const [, location = rest, mark, ref] = /^(.*?)(?:([;^])([^;^]+))?$/.exec(rest) ?? []
    return [
      {
        method,
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
  readonly name: string
  readonly path: string
}

/** A feeds.conf that reaches no network: every feed linked from a directory. */
export const renderFeedsConf = (feeds: readonly LinkedFeed[]): string =>
  feeds.map((feed) => `src-link ${feed.name} ${feed.path}\n`).join('')
