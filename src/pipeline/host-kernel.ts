import { hostBootStep } from './host-kernel/boot.ts'
import { hostCompileStep } from './host-kernel/compile.ts'
import { hostConfigureStep } from './host-kernel/configure.ts'
import type { HostKernelContext } from './host-kernel/context.ts'
import { deliverStep } from './host-kernel/deliver.ts'
import { hostManifestStep } from './host-kernel/manifest.ts'
import { packagesStep } from './host-kernel/packages.ts'
import { patchStep } from './host-kernel/patch.ts'
import { sourceStep } from './host-kernel/source.ts'
import { zfsSourceStep, zfsStep } from './host-kernel/zfs.ts'
import type { Step } from './run.ts'

/** The recipe of `fwbuild host-kernel`. */
export const hostKernelSteps = (toolVersion: string): readonly Step<HostKernelContext>[] => [
  sourceStep,
  patchStep,
  zfsSourceStep,
  hostConfigureStep,
  hostCompileStep,
  packagesStep,
  zfsStep,
  deliverStep,
  hostBootStep,
  hostManifestStep(toolVersion),
]
