import { createHash } from 'node:crypto'
import { join, relative } from 'node:path'
import { buildError } from '../../core/errors.ts'
import { canonicalJson, type Json } from '../../core/json.ts'
import { bytesOf } from '../../core/patch/lines.ts'
import { sha256sums, type Manifest } from '../../core/manifest/manifest.ts'
import { reproduceScript } from '../../core/manifest/reproduce.ts'
import { renderLockfile } from '../../core/spec/lockfile.ts'
import { isFileBeneath } from '../../effects/beneath/read.ts'
import { atomicWrite } from '../../effects/files.ts'
import type { Step } from '../run.ts'
import { stepsOf } from '../step-times.ts'
import { targetPath } from './compile.ts'
import type { OpenwrtContext, RewrittenFile } from './context.ts'
import { loadFragments } from './fragments.ts'
import { lockOf, usedBuildroot } from './lock.ts'
import { openwrtStepIds } from './step-ids.ts'
import { readTreeText } from './tree-files.ts'

type ManifestOutputs = { readonly files: readonly { readonly path: string; readonly sha256: string }[] }

/** What tells the images' story: manifest, checksums, configurations, lock and the command to do it again. */
export function manifestStep(toolVersion: string): Step<OpenwrtContext, ManifestOutputs> {
  return {
    id: 'manifest',
    title: 'Manifest',
    version: 2,
    inputs: async (context) => (await manifestOf(context, toolVersion)) as unknown as Json,
    run: async (context) => {
      const lock = await lockOf(context)
      const documents: [string, string | Uint8Array][] = [
        ['manifest.json', canonicalJson((await manifestOf(context, toolVersion)) as unknown as Json)],
        ['fwbuild.lock', renderLockfile(lock)],
        ['kernel.config', builtText(context, relative(context.tree, context.found.kernelConfig))],
        ['config.buildinfo', buildinfo(context)],
        ['reproduce.sh', reproduceScript(context.spec)],
        ...numbered(context.found.rewrittenPatches),
      ]
      const files: { path: string; sha256: string }[] = []
      for (const [path, text] of documents) {
        await atomicWrite(join(context.paths.output, path), text, {
          mode: path.endsWith('.sh') ? 0o755 : 0o644,
        })
        files.push({ path, sha256: createHash('sha256').update(text).digest('hex') })
      }
      const sums = sha256sums([...files, ...context.found.artifacts])
      await atomicWrite(join(context.paths.output, 'sha256sums'), sums)
      return { files }
    },
    intact: async (context, outputs) =>
      [...outputs.files.map(({ path }) => path), 'sha256sums'].every((path) =>
        isFileBeneath(context.paths.output, path),
      ),
    adopt: () => {},
  }
}

/** The series in its order, as it would have had to be for this tree. */
const numbered = (patches: readonly RewrittenFile[]): [string, Uint8Array][] =>
  patches.map(({ name, text }, index) => [
    `patches/${String(index + 1).padStart(3, '0')}-${name.replace(/^\d+-/, '')}`,
    bytesOf(text),
  ])

async function manifestOf(context: OpenwrtContext, toolVersion: string): Promise<Manifest> {
  const { spec, found } = context
  return {
    version: 1,
    tool: { name: 'fwbuild', version: toolVersion },
    release: spec.release.name,
    kernel: found.kernel,
    hypervisors: [...spec.hypervisors],
    shares: [...spec.shares],
    packages: [...spec.packages],
    commit: found.commit,
    sources: found.sources.map(({ location, ref, commit }) => ({ location, ref, commit })),
    merges: found.merges.map(({ location, ref, commit, how }) => ({ location, ref, commit, how })),
    patches: [...found.patches],
    fragments: (await loadFragments(context)).map(({ file, sha256 }) => ({ file, sha256 })),
    buildroot: await usedBuildroot(context),
    steps: await stepsOf(
      context.stateDir,
      openwrtStepIds.filter((each) => each !== 'manifest'),
    ),
    artifacts: found.artifacts as Manifest['artifacts'],
  }
}

/** Upstream's own from 19.07 on; before, the configuration as built. */
function buildinfo(context: OpenwrtContext): string {
  const upstream = targetPath('config.buildinfo')
  return builtText(context, isFileBeneath(context.tree, upstream) ? upstream : '.config')
}

/** A text that the build left in its tree: never what a link there leads to. */
function builtText({ tree }: OpenwrtContext, path: string): string {
  const text = readTreeText(tree, path)
  if (text !== undefined) return text
  throw buildError('E_FILE_MISSING', `${join(tree, path)} is gone since it was built`)
}
