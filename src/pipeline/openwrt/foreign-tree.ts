import type { StepRecord } from '../../core/step-record.ts'
import { foreignOrigin, type TrustDomain } from '../../core/spec/trust-domain.ts'
import { readTextBeneath } from '../../effects/beneath/read.ts'
import { removeBeneath } from '../../effects/beneath/remove.ts'
import { miniRepositoryOf, type OpenwrtSettings, type SourceFinding } from './context.ts'

const mostRecordBytes = 1 << 20

/**
 * Removes a release's own tree where records say that foreign code was built in it: until there were domains, all
 * builds of a release had one tree, and what was compiled in it is taken as it is.
 */
export async function dropForeignTree(
  settings: OpenwrtSettings,
  domain: TrustDomain,
  { signal, tell }: { readonly signal: AbortSignal; readonly tell: (text: string) => void },
): Promise<void> {
  const { work } = settings.paths
  const { release } = settings.spec
  if (domain.origins.length > 0) return
  const ownPlace = miniRepositoryOf(settings)
  const foreign = recordedSources(work, domain.name).flatMap((source) =>
    source.location === ownPlace ? [] : foreignOrigin(release, source),
  )
  if (foreign.length === 0) return
  tell(`the tree of ${release.name} held what ${foreign.join(', ')} compiled: it is removed and built anew`)
  for (const folder of ['trees', 'builds']) await removeBeneath(work, `${folder}/${domain.name}`, signal)
}

function recordedSources(work: string, name: string): readonly SourceFinding[] {
  const outputs = (step: string): unknown => {
    try {
      const text = readTextBeneath(work, `builds/${name}/last/${step}.json`, mostRecordBytes)
      return text === undefined ? undefined : (JSON.parse(text) as Partial<StepRecord>).outputs
    } catch {
      return undefined
    }
  }
  const source = outputs('source') as SourceFinding | undefined
  const merges = (outputs('merge') as { readonly merges?: readonly SourceFinding[] } | undefined)?.merges
  return [...(typeof source?.location === 'string' ? [source] : []), ...(merges ?? [])]
}
