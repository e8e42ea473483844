import { join } from 'node:path'
import { fetchSource, resolveSource, type ResolvedSource } from '../../effects/git-mirror.ts'
import { keepCommit } from '../../effects/git-objects.ts'
import { translatingGit } from '../../effects/git.ts'
import { createMiniRepository } from '../../effects/mini-repository.ts'
import { trustDomain } from '../../core/spec/trust-domain.ts'
import { tellForeignCode } from '../foreign-code.ts'
import type { Step, StepTools } from '../run.ts'
import { miniRepositoryOf, mirrorOptions, type OpenwrtContext, type SourceFinding } from './context.ts'
import { pinnedCommit } from './lock.ts'

/** The tree that is built: the release's own, or what --source names. */
export const sourceStep: Step<OpenwrtContext, SourceFinding> = {
  id: 'source',
  title: 'Source tree',
  version: 1,
  inputs: async (context, tools) => {
    tellForeignCode(trustDomain(context.spec).origins, context, tools)
    const { location, ref, commit } = await resolvePinned(context, await baseSource(context), tools)
    return { location, ref, commit }
  },
  run: async (context, tools) => {
    const source = await resolvePinned(context, await baseSource(context), undefined)
    await bring(context, source, tools)
    return { location: source.location, ref: source.ref, commit: source.commit }
  },
  intact: (context, outputs) => isThere(context, outputs),
  adopt: (context, outputs) => {
    context.found.sources = [outputs]
    context.found.commit = outputs.commit
  },
  summary: (outputs) => `${outputs.ref} at ${outputs.commit.slice(0, 10)}`,
}

interface WantedSource {
  readonly location: string
  readonly ref: string
}

/** A source and ref without which nothing can be built: flag first, then the catalogue. */
export async function baseSource(context: OpenwrtContext): Promise<WantedSource> {
  const { release, source } = context.spec
  const ownRef = release.source.kind === 'git' ? release.source.ref : 'main'
  if (source !== undefined) return { location: source.location, ref: source.ref ?? ownRef }
  if (release.source.kind === 'git') return { location: release.source.url, ref: ownRef }
  return { location: await miniRepository(context), ref: ownRef }
}

/** The miniature lies in this project as plain files; git history is made of them when used. */
async function miniRepository(context: OpenwrtContext): Promise<string> {
  const gitDir = miniRepositoryOf(context)
  await createMiniRepository(
    join(context.paths.project, 'test/fixtures/mini-openwrt'),
    gitDir,
    context.signal,
  )
  return gitDir
}

/** Commit of a source now, or the one that the lock file pins. */
export async function resolvePinned(
  context: OpenwrtContext,
  wanted: WantedSource,
  tools: StepTools | undefined,
): Promise<ResolvedSource> {
  const { location, ref } = wanted
  const pinned = pinnedCommit(context, location, ref)
  if (pinned !== undefined) return { location, ref, commit: pinned, notes: [] }
  const resolved = await translatingGit(`${location} cannot be read`, context.signal, () =>
    resolveSource(location, ref, mirrorOptions(context)),
  )
  if (context.lock !== undefined) {
    tools?.note(`the lock file does not pin ${ref} of ${location}: its newest commit is used`, 'warn')
  }
  for (const note of resolved.notes) tools?.note(note, 'warn')
  return resolved
}

/** Fetches into the shared mirror and keeps the commit there. */
export async function bring(
  context: OpenwrtContext,
  source: ResolvedSource,
  tools: StepTools,
): Promise<void> {
  tools.progress({ item: `fetching ${source.location}` })
  await translatingGit(`${source.location} cannot be fetched`, context.signal, async () => {
    for (const note of await fetchSource(source, mirrorOptions(context))) tools.note(note)
    await keepCommit(mirrorOptions(context), `kept/${source.commit}`, source.commit)
  })
}

export async function isThere(context: OpenwrtContext, source: SourceFinding): Promise<boolean> {
  try {
    await keepCommit(mirrorOptions(context), `kept/${source.commit}`, source.commit)
    return true
  } catch {
    return false
  }
}
