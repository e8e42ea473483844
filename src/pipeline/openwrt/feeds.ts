import { join } from 'node:path'
import { buildError, FwbuildError, messageOf } from '../../core/errors.ts'
import { feedProblem, parseFeedsConf, renderFeedsConf, type FeedLine } from '../../core/openwrt/feeds-conf.ts'
import { isFileBeneath } from '../../effects/beneath/read.ts'
import { contentDigest } from '../../effects/file-stamps.ts'
import { isUrl } from '../../core/spec/source-reference.ts'
import {
  fetchSource,
  requireReachable,
  resolveSource,
  type ResolvedSource,
} from '../../effects/git-mirror.ts'
import { keepCommit, namesIn, objectIds, readStoredFile } from '../../effects/git-objects.ts'
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
  version: 2,
  judged: 'alone',
  inputs: async (context, tools) => {
    const { feeds } = await resolveFeeds(context, tools)
    return {
      tree: await whatFeedsRead(context),
      feeds: feeds.map(({ name, flags, location, commit }) => ({ name, flags, location, commit })),
      own: await contentDigest(ownFeed(context)),
      buildroot: context.buildrootInputs,
    }
  },
  run: async (context, tools) => {
    const { feeds, leftOut: unresolved } = await resolveFeeds(context, undefined)
    const leftOut = [...unresolved]
    const found: FeedFinding[] = []
    for (const feed of feeds) {
      const brought = await bringIfThere(context, feed, tools)
      if (brought === undefined) leftOut.push(feed.name)
      else found.push(brought)
    }
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

/** What `scripts/feeds update` and `install` read of a tree: its scripts, and which packages and targets it has. */
const readByFeeds = ['Makefile', 'rules.mk', 'feeds.conf.default', 'include', 'package', 'scripts']

async function whatFeedsRead(context: OpenwrtContext): Promise<Readonly<Record<string, string>>> {
  const ids = await objectIds(mirrorOptions(context), context.found.commit, readByFeeds)
  const targets = await namesIn(mirrorOptions(context), context.found.commit, 'target/linux')
  return { ...ids, targets: targets.join(' ') }
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
  const taken = new Set<string>()
  for (const line of lines.filter(({ method }) => method.startsWith('src-git'))) {
    const problem = feedProblem(line, { taken, local: isOwnTree(context) })
    taken.add(line.name)
    const resolved = problem ?? (await resolveFeed(context, line))
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

/** A path that the user named: what its files say of this machine is the user's word. */
const isOwnTree = ({ spec }: OpenwrtContext): boolean =>
  spec.source !== undefined && !isUrl(spec.source.location)

/** The feed's commit, or why it can't be had; a base image needs no feed, so that is no failure. */
async function resolveFeed(context: OpenwrtContext, line: FeedLine): Promise<ResolvedSource | string> {
  const { location } = line
  const ref = line.commit ?? line.branch ?? 'HEAD'
  try {
    const pinned = pinnedCommit(context, location, ref)
    const resolved =
      pinned === undefined
        ? await resolveSource(location, ref, mirrorOptions(context))
        : { location, ref, commit: pinned, notes: [] }
    // A commit that is named by its hash was resolved without a look at its host.
    if (pinned !== undefined || resolved.commit === ref)
      await requireReachable(location, resolved.commit, mirrorOptions(context))
    return resolved
  } catch (error) {
    if (context.signal.aborted) throw error
    return messageOf(error)
  }
}

/** A host may go away between the question for a commit and its fetch. */
async function bringIfThere(
  context: OpenwrtContext,
  feed: NamedSource,
  tools: StepTools,
): Promise<FeedFinding | undefined> {
  try {
    return await bringFeed(context, feed, tools)
  } catch (error) {
    if (!(error instanceof FwbuildError) || error.code !== 'E_SOURCE_UNREACHABLE') throw error
    tools.note(`feed ${feed.name} is left out: ${error.message}`, 'warn')
    return undefined
  }
}

async function bringFeed(context: OpenwrtContext, feed: NamedSource, tools: StepTools): Promise<FeedFinding> {
  tools.progress({ item: `feed ${feed.name}` })
  const path = join(context.places.feeds, feed.name)
  await fetchSource(feed, mirrorOptions(context))
  await keepCommit(mirrorOptions(context), `kept/${feed.commit}`, feed.commit)
  await checkOut({ gitDir: context.gitDir, signal: context.signal, path }, feed.commit)
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
