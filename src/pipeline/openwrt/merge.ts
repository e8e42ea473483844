import { buildError } from '../../core/errors.ts'
import {
  cherryPick,
  keepCommit,
  mergeCommits,
  ownCommits,
  readStoredFile,
  type MergeConflict,
} from '../../effects/git-objects.ts'
import type { ResolvedSource } from '../../effects/git-mirror.ts'
import { gitCommit, openGit, translatingGit } from '../../effects/git.ts'
import { resolveSource } from '../../effects/git-mirror.ts'
import type { Step, StepTools } from '../run.ts'
import { mirrorOptions, type MergeFinding, type OpenwrtContext } from './context.ts'
import { baseSource, bring, isThere, resolvePinned } from './source.ts'

type MergeOutputs = {
  readonly commit: string
  readonly merges: readonly MergeFinding[]
  /** Symbol that asks for EFI images in the merged tree. */
  readonly efiSymbol: string | null
}

/** Branches that are merged into the tree, as new commits in the object store. */
export const mergeStep: Step<OpenwrtContext, MergeOutputs> = {
  id: 'merge',
  title: 'Merge branches',
  version: 1,
  inputs: async (context, tools) => ({
    commit: context.found.commit,
    merges: (await resolveMerges(context, tools)).map(({ location, ref, commit }) => ({
      location,
      ref,
      commit,
    })),
  }),
  run: async (context, tools) => {
    const merges: MergeFinding[] = []
    let head = context.found.commit
    for (const source of await resolveMerges(context, undefined)) {
      const outcome = await mergeOne(context, head, source, tools)
      head = outcome.commit
      merges.push({ location: source.location, ref: source.ref, commit: source.commit, how: outcome.how })
    }
    await keepCommit(mirrorOptions(context), `kept/${head}`, head)
    return { commit: head, merges, efiSymbol: await findEfiSymbol(context, head) }
  },
  intact: (context, outputs) => isThere(context, { location: '', ref: '', commit: outputs.commit }),
  adopt: (context, outputs) => {
    context.found.merges = outputs.merges
    context.found.sources = [...context.found.sources, ...outputs.merges]
    context.found.commit = outputs.commit
    context.found.efiSymbol = outputs.efiSymbol ?? undefined
  },
  summary: ({ merges }) =>
    merges.length === 0 ? 'nothing to merge' : merges.map((merge) => `${merge.ref}: ${merge.how}`).join(', '),
}

async function resolveMerges(
  context: OpenwrtContext,
  tools: StepTools | undefined,
): Promise<readonly ResolvedSource[]> {
  const base = await baseSource(context)
  const wanted = [
    ...context.spec.release.merges.map((ref) => ({ location: base.location, ref })),
    ...context.spec.merges.map((merge) => ({ location: merge.location, ref: merge.ref ?? 'HEAD' })),
  ]
  const resolved: ResolvedSource[] = []
  for (const source of wanted) resolved.push(await resolvePinned(context, source, tools))
  return resolved
}

const efiBranch = /(?:^|\/)(?:x86_uefi|pull\/1026(?:\/|$))/

async function mergeOne(
  context: OpenwrtContext,
  ours: string,
  source: ResolvedSource,
  tools: StepTools,
): Promise<{ readonly commit: string; readonly how: MergeFinding['how'] }> {
  const { release } = context.spec
  if (release.efi === 'upstream' && efiBranch.test(source.ref)) {
    tools.note(`${release.title} has EFI images upstream: ${source.ref} is not merged`)
    return { commit: ours, how: 'upstream' }
  }
  await bring(context, source, tools)
  return translatingGit(`${source.ref} cannot be merged`, context.signal, async () => {
    const store = mirrorOptions(context)
    const { own, brought } = await ownCommits(store, ours, source.commit, await trunks(context))
    // A branch made on a distant trunk would drag that trunk in: take its own commits only.
    const far = own.length > 0 && brought > 10 * own.length
    if (far)
      tools.note(`${source.ref} is ${brought} commits away: its ${own.length} own commits are picked instead`)
    const outcome = far
      ? await cherryPick(store, ours, own)
      : await mergeCommits(store, ours, source.commit, `Merge ${source.ref}`)
    if (outcome.status === 'conflict') throw conflictError(context, source, far, outcome.conflicts)
    if (outcome.status === 'up-to-date') return { commit: ours, how: 'up-to-date' }
    return { commit: outcome.commit, how: far ? 'cherry-pick' : 'merge' }
  })
}

/** Development branches of the base source; what they have too is not a merged branch's own. */
async function trunks(context: OpenwrtContext): Promise<readonly string[]> {
  const { location } = await baseSource(context)
  const found: string[] = []
  for (const ref of ['main', 'master']) {
    try {
      const trunk = await resolveSource(location, ref, mirrorOptions(context))
      const known = await gitCommit(openGit(context.gitDir, context), trunk.commit)
      if (known !== undefined) found.push(known)
    } catch {
      // A source without that branch, or out of reach: the merge base alone decides.
    }
  }
  return found
}

function conflictError(
  context: OpenwrtContext,
  source: ResolvedSource,
  far: boolean,
  conflicts: readonly MergeConflict[],
): Error {
  const side = (name: string, commits: readonly string[]): string[] =>
    commits.length === 0 ? [] : [`    ${name}:`, ...commits.map((commit) => `      ${commit}`)]
  const details = conflicts.flatMap((conflict) => [
    `  ${conflict.path}`,
    ...side('ours', conflict.ours),
    ...side('theirs', conflict.theirs),
  ])
  const what = far ? 'picking the commits of' : 'merging'
  const files = `${conflicts.length} ${conflicts.length === 1 ? 'file' : 'files'}`
  return buildError(
    'E_MERGE_CONFLICT',
    `${what} ${source.ref} into ${context.spec.release.title} conflicts in ${files}:\n${details.join('\n')}`,
    { hint: 'nothing was changed; resolve it in a clone of your own and build that with --source PATH#REF' },
  )
}

async function findEfiSymbol(context: OpenwrtContext, commit: string): Promise<string | null> {
  const file = await readStoredFile(mirrorOptions(context), commit, 'config/Config-images.in')
  const text = file === undefined ? '' : new TextDecoder().decode(file.content)
  return /^\s*config (GRUB_EFI_IMAGES|EFI_IMAGES)$/m.exec(text)?.[1] ?? null
}
