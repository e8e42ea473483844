import { join } from 'node:path'
import { overrideParameter } from '../../core/host/acs-override.ts'
import {
  bootSettingsControl,
  bootSettingsFiles,
  bootSettingsScripts,
  settingsPackage,
  type BootSettings,
  type SettingsDevice,
} from '../../core/host/boot-settings.ts'
import type { PciDevice } from '../../core/host/pci-device.ts'
import type { StepTools } from '../run.ts'
import type { HostKernelContext } from './context.ts'
import { buildDeb, stageFiles } from './deb-package.ts'
import { packageVersion } from './packages.ts'

/** Who made the packages, for their control files. */
export const maintainer = 'fwbuild <fwbuild@localhost>'

/** Without override and devices there is nothing to be set at boot. */
export const hasBootSettings = ({ acsParameters, devices }: HostKernelContext): boolean =>
  acsParameters.length + devices.length > 0

/** What the packages set at boot on this machine. */
export const bootSettingsOf = (context: HostKernelContext): BootSettings => ({
  cpuVendor: context.cpuVendor,
  overrideParameters: overrideParameter(context.acsParameters),
  passthrough: context.devices.map(settingsDevice),
  kernelRelease: context.found.release,
})

function settingsDevice({ address, id, classCode, driver }: PciDevice): SettingsDevice {
  // A device that vfio-pci has already does not say who would take it otherwise.
  const modules = driver === undefined || driver === 'vfio-pci' ? [] : [driver.replaceAll('-', '_')]
  return { bdf: address, id, pciClass: `0x${classCode.toString(16).padStart(6, '0')}`, modules }
}

/**
 * Makes the package fwbuild-host-settings.
 * @returns its path
 */
export async function buildSettingsDeb(
  context: HostKernelContext,
  settings: BootSettings,
  outDir: string,
  tools: StepTools,
): Promise<string> {
  const stageDir = join(context.places.stage, settingsPackage)
  await stageFiles(context.area, stageDir, bootSettingsFiles(settings))
  return buildDeb(await context.session(tools.line), {
    area: context.area,
    stageDir,
    outDir,
    control: bootSettingsControl(settings, { version: packageVersion(context), maintainer }),
    scripts: bootSettingsScripts(settings),
    epoch: context.found.epoch,
    signal: tools.signal,
    line: tools.line,
  })
}
