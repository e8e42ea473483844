import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalJson, type Json } from '../../core/json.ts'
import { kernelSourceText, type HostKernelSpec } from '../../core/spec/host-kernel-spec.ts'
import { hostKernelLayer, type HostKernelLayer } from '../../core/spec/options.ts'
import { atomicWrite } from '../../effects/files.ts'
import { hostStateDir } from './context.ts'

const optionsFile = (workDir: string, name: string): string =>
  join(hostStateDir(workDir, name), 'options.json')

/** Keeps what a build was asked for, so that `watch` builds the same of a newer source. */
export async function saveOptions(workDir: string, spec: HostKernelSpec): Promise<void> {
  const { source, config, zfs } = spec
  const layer: HostKernelLayer = {
    acs: spec.acs,
    zfs: zfs.kind === 'version' ? zfs.version : zfs.kind === 'path' ? zfs.path : zfs.kind,
    source: kernelSourceText(source),
    config: config.kind === 'file' ? config.path : config.kind,
    patch: [...spec.patches],
    fragment: [...spec.fragments],
    localversion: spec.localversion,
    passthrough: [...spec.passthrough],
    boot: spec.boot,
    ...(source.kind === 'tarball' && source.sha256 !== undefined ? { sha256: source.sha256 } : {}),
  }
  await atomicWrite(optionsFile(workDir, spec.name), canonicalJson(layer as Json))
}

/** What the last build of that name was asked for; nothing where there was none. */
export async function savedOptions(workDir: string, name: string): Promise<HostKernelLayer> {
  const text = await readFile(optionsFile(workDir, name), 'utf8').catch(() => '{}')
  const read = hostKernelLayer.safeParse(JSON.parse(text))
  return read.success ? read.data : {}
}
