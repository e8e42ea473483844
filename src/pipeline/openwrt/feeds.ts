import { join } from 'node:path'
import { buildError, messageOf } from '../../core/errors.ts'
import { parseFeedsConf, renderFeedsConf, type FeedLine } from '../../core/openwrt/feeds-conf.ts'
import { isFileBeneath } from '../../effects/beneath/read.ts'
import { contentDigest } from '../../effects/file-stamps.ts'
import { fetchSource, resolveSource, type ResolvedSource } from '../../effects/git-mirror.ts'
import { keepCommit, readStoredFile } from '../../effects/git-objects.ts'
import { checkOut, worktreeIsAt } from '../../effects/git-worktree.ts'
import type { Step, StepTools } from '../run.ts'
import { mirrorOptions, type FeedFinding, type OpenwrtContext } from './context.ts'
import { pinnedCommit } from './lock.ts'
import { writeForBuild } from './tree-files.ts'

type FeedOutputs = { readonly feeds: readonly FeedFinding[]; readonly leftOut: readonly string[] }

/** Upstream's feeds as checked-out directories, so that the build itself needs no network, and our own. */
export const feedsStep: Step<OpenwrtContext, FeedOutputs> = {
  id: 'feeds',
  title: 'Feeds',
  version: 1,
  inputs: async (context, tools) => {
    const { feeds } = await resolveFeeds(context, tools)
    return {
      commit: context.found.commit,
      feeds: feeds.map(({ name, flags, location, commit }) => ({ name, flags, location, commit })),
      own: await contentDigest(ownFeed(context)),
      buildroot: context.buildrootInputs,
    }
  },
  run: async (context, tools) => {
    const { feeds, leftOut } = await resolveFeeds(context, undefined)
    const found: FeedFinding[] = []
    for (const feed of feeds) found.push(await bringFeed(context, feed, tools))
    const lines = [...found, { name: 'fwbuild', flags: [], path: ownFeed(context) }]
    const inside = lines.map((line) => ({ ...line, path: context.inside(line.path) }))
    await writeForBuild(context, 'feeds.conf', renderFeedsConf(inside))
    await runFeeds(context, ['update', '-a'], tools)
    await runFeeds(context, ['install', '-a'], tools)
    return { feeds: found, leftOut }
  },
  intact: async (context, outputs) => {
    if (!isFileBeneath(context.tree, 'feeds.conf')) return false
    const checks = outputs.feeds.map((feed) => worktreeIsAt({ ...context, path: feed.path }, feed.commit))
    return (await Promise.all(checks)).every(Boolean)
  },
  adopt: (context, outputs) => {
    context.found.feeds = outputs.feeds
    context.found.sources = [...context.found.sources, ...outputs.feeds.map(sourceOfFeed)]
  },
  summary: ({ feeds, leftOut }) =>
    `${['fwbuild', ...feeds.map((feed) => feed.name)].join(', ')}${leftOut.length === 0 ? '' : `; without ${leftOut.join(', ')}`}`,
}

const sourceOfFeed = (feed: FeedFinding) => ({ location: feed.location, ref: feed.ref, commit: feed.commit })

const ownFeed = (context: OpenwrtContext): string => join(context.paths.project, 'feeds/fwbuild')

interface NamedSource extends ResolvedSource {
  readonly name: string
  readonly flags: readonly string[]
}

async function resolveFeeds(
  context: OpenwrtContext,
  tools: StepTools | undefined,
): Promise<{ readonly feeds: readonly NamedSource[]; readonly leftOut: readonly string[] }> {
  const file = await readStoredFile(mirrorOptions(context), context.found.commit, 'feeds.conf.default')
  const lines = parseFeedsConf(file === undefined ? '' : new TextDecoder().decode(file.content))
  const feeds: NamedSource[] = []
  const leftOut: string[] = []
  for (const line of lines.filter(({ method }) => method.startsWith('src-git'))) {
    const resolved = await resolveFeed(context, line)
    if (typeof resolved !== 'string') {
      feeds.push({ ...resolved, name: line.name, flags: line.flags })
      if (context.lock !== undefined && pinnedCommit(context, resolved.location, resolved.ref) === undefined)
        tools?.note(`the lock file does not pin feed ${line.name}: its newest commit is used`, 'warn')
    } else {
      leftOut.push(line.name)
      tools?.note(`feed ${line.name} is left out: ${resolved}`, 'warn')
    }
  }
  return { feeds, leftOut }
}

/** The feed's commit, or why it can't be had; a base image needs no feed, so that is no failure. */
async function resolveFeed(context: OpenwrtContext, line: FeedLine): Promise<ResolvedSource | string> {
  const ref = line.commit ?? line.branch ?? 'HEAD'
  const commit = pinnedCommit(context, line.location, ref)
  if (commit !== undefined) return { location: line.location, ref, commit, notes: [] }
  try {
    return await resolveSource(line.location, ref, mirrorOptions(context))
  } catch (error) {
    if (context.signal.aborted) throw error
    return messageOf(error)
  }
}

async function bringFeed(context: OpenwrtContext, feed: NamedSource, tools: StepTools): Promise<FeedFinding> {
  tools.progress({ item: `feed ${feed.name}` })
  const path = join(context.paths.work, 'feeds', context.spec.release.name, feed.name)
  await fetchSource(feed, mirrorOptions(context))
  await keepCommit(mirrorOptions(context), `kept/${feed.commit}`, feed.commit)
  await checkOut({ ...context, path }, feed.commit)
  const { name, flags, location, ref, commit } = feed
  return { name, flags, location, ref, commit, path }
}

/** Of its last output, when scripts/feeds failed. */
const shownLines = 8

async function runFeeds(context: OpenwrtContext, args: readonly string[], tools: StepTools): Promise<void> {
  tools.progress({ item: `scripts/feeds ${args.join(' ')}` })
  const session = await context.session((text) => tools.line(text))
  const last: string[] = []
  const { exitCode } = await session.exec(['./scripts/feeds', ...args], {
    cwd: context.tree,
    signal: tools.signal,
    onLine: (line, stream) => {
      tools.line(line, stream)
      last.push(line)
      if (last.length > shownLines) last.shift()
    },
  })
  if (exitCode === 0) return
  const lines = last.map((line) => `\n  ${line}`).join('')
  throw buildError('E_FEEDS', `scripts/feeds ${args.join(' ')} failed (exit ${exitCode}):${lines}`, {
    hint: `log: ${tools.logPath}`,
  })
}
