import { usageError } from '../core/errors.ts'
import { isDomainOf, trustDomain, type TrustDomain } from '../core/spec/trust-domain.ts'
import { listBeneath } from '../effects/beneath/read.ts'
import { takeWorkLock } from '../effects/work-lock.ts'
import { clearUpAfterCrash } from './clear-up.ts'
import { openwrtContext, type OpenwrtContext, type OpenwrtSettings } from './openwrt/context.ts'
import { readOrigins } from './openwrt/places.ts'

/**
 * Does something with a build that is there, in its own session and under the lock of its work directory.
 * @param command named to whoever finds the directory locked
 * @param tell notes for the user: what a killed run left behind, another buildroot image than wanted
 * @throws usage error E_NO_TREE, and what `body` throws
 */
export async function inBuild<T>(
  settings: OpenwrtSettings,
  command: string,
  signal: AbortSignal,
  tell: (text: string) => void,
  body: (context: OpenwrtContext) => Promise<T>,
): Promise<T> {
  const { paths, engine, env } = settings
  const domain = findDomain(settings, tell)
  await using lock = await takeWorkLock(paths.work, command)
  await clearUpAfterCrash(lock, engine.kind, { workDir: paths.work, env, signal, tell })
  const context = await openwrtContext(settings, signal, tell, domain)
  try {
    return await body(context)
  } finally {
    await context.close()
  }
}

/**
 * The domain of the sources that are named; where none are, and the release was built of one set of sources only,
 * the one of these. What runs in its tree sees no other domain's.
 * @throws usage error E_NO_TREE
 */
function findDomain({ paths, spec }: OpenwrtSettings, tell: (text: string) => void): TrustDomain {
  const domain = trustDomain(spec)
  const trees = listBeneath(paths.work, 'trees').map(({ name }) => name)
  if (trees.includes(domain.name)) return domain
  const others = trees.filter((name) => isDomainOf(spec.release.name, name))
  const isUnnamed = domain.origins.length === 0
  const [only] = others
  if (isUnnamed && only !== undefined && others.length === 1) {
    const found = { name: only, origins: readOrigins(paths.work, only) }
    tell(`the tree of ${spec.release.name} that is there was built of ${found.origins.join(', ')}`)
    return found
  }
  const sources = isUnnamed ? '' : ' with these sources'
  throw usageError('E_NO_TREE', `there is no tree of ${spec.release.name}${sources} in ${paths.work}`, {
    hint:
      others.length === 0
        ? 'build it first, for example with --until configure'
        : `give the --source and --merge of one that was built: ${others.join(', ')}`,
  })
}
