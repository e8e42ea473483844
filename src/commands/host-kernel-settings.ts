import { readFile } from 'node:fs/promises'
import { zfsByDefault } from '../core/host/zfs-host.ts'
import { cpuVendorOf, planPassthrough } from '../core/host/passthrough.ts'
import { hostKernelSpec, type HostKernelSpec } from '../core/spec/host-kernel-spec.ts'
import { parseHostLock, type HostLock } from '../core/spec/host-lock.ts'
import type { HostKernelLayer } from '../core/spec/options.ts'
import { readHostZfs } from '../effects/host-zfs.ts'
import { readHostOs } from '../effects/host-os.ts'
import { readPciHost } from '../effects/sysfs-pci.ts'
import type { HostKernelSettings } from '../pipeline/host-kernel/context.ts'
import { buildSettings } from './build-settings.ts'
import type { Io } from './io.ts'
import { readLockText, type RunFlags } from './option-layers.ts'

/** Suites whose tools build every kernel series that is offered, the best known first. */
const buildrootSuites = ['bookworm', 'trixie'] as const

/** Debian's suite for a machine that is not Debian. */
const usualSuite = 'bookworm'

/** Everything a build of a host kernel needs to know, from all layers of options. */
export async function hostKernelSettings(
  layers: readonly HostKernelLayer[],
  run: Pick<RunFlags, 'lock'>,
  io: Io,
): Promise<HostKernelSettings> {
  const spec = hostKernelSpec(layers)
  const hostZfs = await readHostZfs(io.signal)
  const { id, codename } = await readHostOs()
  return {
    ...(await buildSettings(layers, { name: spec.name, suites: buildrootSuites }, io)),
    spec,
    hostSuite: id === 'debian' ? (codename ?? 'sid') : usualSuite,
    hostZfs,
    ...(await readPassthrough(spec)),
    cpuVendor: cpuVendorOf(await readFile('/proc/cpuinfo', 'utf8').catch(() => '')),
    zfsOn: spec.zfs.kind === 'auto' ? zfsByDefault(hostZfs) : spec.zfs.kind !== 'off',
    lock: await readLock(run.lock, io),
    newer: undefined,
  }
}

/** The machine is only asked where devices of it were named. */
async function readPassthrough(
  spec: HostKernelSpec,
): Promise<Pick<HostKernelSettings, 'acsParameters' | 'devices' | 'warnings'>> {
  const { devices: all, acsOverride } =
    spec.passthrough.length === 0 ? { devices: [], acsOverride: [] } : await readPciHost('/sys', '/proc')
  return planPassthrough(spec.passthrough, all, spec.acs, acsOverride)
}

/** One that just lies in the current directory is taken too, as with `fwbuild openwrt`. */
async function readLock(given: string | undefined, io: Io): Promise<HostLock | undefined> {
  const text = await readLockText(given, 'fwbuild-host.lock', io)
  return text === undefined ? undefined : parseHostLock(text, given ?? 'fwbuild-host.lock')
}
