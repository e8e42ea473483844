import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { canonicalJson } from '../../core/json.ts'
import type { HostManifest } from '../../core/manifest/host-manifest.ts'
import { sha256sums } from '../../core/manifest/manifest.ts'
import { reproduceHostScript } from '../../core/manifest/reproduce.ts'
import { bytesOf } from '../../core/patch/lines.ts'
import { renderHostLock, type HostLock } from '../../core/spec/host-lock.ts'
import { atomicWrite } from '../../effects/files.ts'
import { stepsOf } from '../step-times.ts'
import type { Step } from '../run.ts'
import { hostBuildrootFile, type HostKernelContext } from './context.ts'
import { loadHostFragments } from './fragments.ts'
import { hostKernelStepIds } from './step-ids.ts'

type ManifestOutputs = { readonly files: readonly string[] }

/** What tells the packages' story: manifest, checksums, configuration, series, lock, and how to do it again. */
export function hostManifestStep(toolVersion: string): Step<HostKernelContext, ManifestOutputs> {
  return {
    id: 'manifest',
    title: 'Manifest',
    version: 1,
    inputs: async (context) => ({
      manifest: await manifestOf(context, toolVersion),
      config: context.found.configDigest,
      output: context.paths.output,
    }),
    run: async (context) => {
      const { output } = context.paths
      const manifest = await manifestOf(context, toolVersion)
      const documents: readonly (readonly [string, string | Uint8Array])[] = [
        ['manifest.json', canonicalJson(manifest)],
        ['fwbuild-host.lock', renderHostLock(await hostLockOf(context))],
        ['kernel.config', context.area.requireText(join(context.places.obj, '.config'))],
        ['reproduce.sh', reproduceHostScript(context.spec)],
        ...context.found.rewrittenPatches.map(({ name, text }, index): readonly [string, Uint8Array] => [
          `patches/${String(index + 1).padStart(3, '0')}-${name.replace(/^\d+-/, '')}`,
          bytesOf(text),
        ]),
      ]
      const files: { path: string; sha256: string }[] = []
      for (const [path, text] of documents) {
        await atomicWrite(join(output, path), text, { mode: path.endsWith('.sh') ? 0o755 : 0o644 })
        files.push({ path, sha256: createHash('sha256').update(text).digest('hex') })
      }
      // install.sh compares the packages with it before it touches the machine.
      await atomicWrite(join(output, 'sha256sums'), sha256sums([...files, ...context.found.delivered]))
      return { files: [...files.map(({ path }) => path), 'sha256sums'] }
    },
    intact: async (context, outputs) =>
      outputs.files.every((path) => existsSync(join(context.paths.output, path))),
    adopt: () => {},
  }
}

async function manifestOf(context: HostKernelContext, toolVersion: string): Promise<HostManifest> {
  const { spec, found } = context
  const { origin, zfs } = found
  return {
    version: 1,
    kind: 'host-kernel',
    tool: { name: 'fwbuild', version: toolVersion },
    kernel: {
      version: found.kernelVersion,
      release: found.release,
      config: found.configBase,
      acs: spec.acs,
      acsParameters: [...context.acsParameters],
    },
    source: { text: origin?.text ?? '', id: origin?.id ?? '', sha256: origin?.sha256 ?? null },
    patches: [...found.patches],
    fragments: (await loadHostFragments(context, context.zfsOn)).map(({ file, sha256 }) => ({
      file,
      sha256,
    })),
    zfs: zfs === undefined ? null : { version: found.zfsModules, origin: zfs.origin },
    passthrough: [...spec.passthrough],
    buildroot: await usedBuildroot(context),
    steps: await stepsOf(
      context.stateDir,
      hostKernelStepIds.filter((each) => each !== 'manifest'),
    ),
    packages: await Promise.all(
      found.delivered
        .filter(({ path }) => path.endsWith('.deb'))
        .map(async ({ path, sha256 }) => ({
          path: basename(path),
          bytes: (await stat(join(context.paths.output, path))).size,
          sha256,
        })),
    ),
    proofs: {
      groups: (found.groupsProof ?? null) as HostManifest['proofs']['groups'],
      modules: (found.modulesProof ?? null) as HostManifest['proofs']['modules'],
      install: (found.installProof ?? null) as HostManifest['proofs']['install'],
    },
  }
}

async function usedBuildroot(context: HostKernelContext): Promise<HostLock['buildroot']> {
  const text = await readFile(hostBuildrootFile(context.stateDir), 'utf8').catch(() => undefined)
  return text === undefined ? null : (JSON.parse(text) as HostLock['buildroot'])
}

/** Pins of what was built. */
export async function hostLockOf(context: HostKernelContext): Promise<HostLock> {
  const { found } = context
  return {
    version: 1,
    kind: 'host-kernel',
    source: { id: found.origin?.id ?? '', sha256: found.origin?.sha256 ?? null },
    patches: found.patches.map(({ name, sha256 }) => ({ name, sha256 })),
    zfs: found.zfs?.version ?? null,
    buildroot: await usedBuildroot(context),
  }
}
