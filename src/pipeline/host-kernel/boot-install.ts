import { copyFile, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { bootParameters } from '../../core/host/boot-settings.ts'
import { proofPassthrough, type InstallProof } from '../../core/host/install-proof.ts'
import { sha256sums } from '../../core/manifest/manifest.ts'
import { readAptSettings, type AptSettings } from '../../effects/apt-settings.ts'
import { bootstrapTool } from '../../effects/debian-bootstrap.ts'
import { atomicWrite, removeTree, sha256File } from '../../effects/files.ts'
import type { StepTools } from '../run.ts'
import { bootSettingsOf, buildSettingsDeb } from './boot-settings.ts'
import type { HostKernelContext } from './context.ts'
import { installScriptFor } from './deliver.ts'
import { proveInstall, type InstallProofOptions } from './prove-install.ts'

/** The suite of the system that the packages are installed into: the buildroot's, or for the bare host its own. */
const suiteOf = ({ engine, hostSuite }: HostKernelContext): string =>
  engine.kind === 'host' ? hostSuite : 'bookworm'

/** Whether this machine can make a system of its own to install into. */
export const canProveInstall = (): boolean => bootstrapTool() === 'debootstrap'

/**
 * The delivered packages in a Debian system of their own, with settings for the devices that QEMU has in place of
 * this machine's.
 */
export async function bootInstallation(
  context: HostKernelContext,
  common: Pick<InstallProofOptions, 'logDir' | 'signal' | 'report' | 'step'>,
  tools: StepTools,
): Promise<InstallProof> {
  const { area, found, places, paths, cpuVendor } = context
  // Of fwbuild's own: what is installed there is what is delivered.
  const folder = join(context.stateDir, 'proof', 'install')
  await removeTree(folder)
  await mkdir(folder, { recursive: true })
  const settings = { ...bootSettingsOf(context), passthrough: proofPassthrough }
  const built = await buildSettingsDeb(context, settings, join(places.proof, 'settings'), tools)
  const settingsDeb = basename(built)
  await area.copyOut(built, join(folder, settingsDeb), tools.signal)
  const others = found.delivered
    .map(({ path }) => path)
    .filter((path) => /^(?:linux-image|linux-headers|zfs-modules)-[^/]*\.deb$/.test(path))
  for (const path of others) await copyFile(join(paths.output, path), join(folder, path))
  const files = [...others, settingsDeb].sort()
  await atomicWrite(join(folder, 'install.sh'), installScriptFor(found.release, files), { mode: 0o755 })
  const sums = await Promise.all(
    files.map(async (path) => ({
      path,
      sha256: await sha256File(join(folder, path), { signal: tools.signal }),
    })),
  )
  await atomicWrite(join(folder, 'sha256sums'), sha256sums(sums))
  return proveInstall({
    ...common,
    folder,
    release: found.release,
    parameters: bootParameters(settings),
    vfioIds: [...new Set(proofPassthrough.map(({ id }) => id))],
    zfs: found.zfs !== undefined,
    cpuVendor,
    suite: suiteOf(context),
    aptSettings: await aptSettings(context, tools.signal),
    cacheDir: join(paths.work, 'proof'),
  })
}

async function aptSettings({ mirror }: HostKernelContext, signal: AbortSignal): Promise<AptSettings> {
  const settings = await readAptSettings(signal)
  return mirror === undefined ? settings : { ...settings, mirrors: { archive: mirror, updates: true } }
}

/** Logs by their place in the output folder. */
export const relativeInstallLogs = (proof: InstallProof): InstallProof => ({
  ...proof,
  logs: proof.logs.map((log) => `boot/${basename(log)}`),
})
