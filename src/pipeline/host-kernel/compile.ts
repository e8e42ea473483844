import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import { pathWord } from '../../core/path-word.ts'
import type { BuildArea } from '../../effects/beneath/area.ts'
import type { Step } from '../run.ts'
import type { HostKernelContext } from './context.ts'
import { kbuild } from './kbuild.ts'
import { kernelInterface } from './kernel-interface.ts'

type CompileOutputs = {
  /** `uname -r`. */
  readonly release: string
  readonly imageSha256: string
  readonly imageMtimeMs: number
  readonly symversSha256: string
  readonly interfaceDigest: string
  readonly items: number
}

const imagePath = 'arch/x86/boot/bzImage'

/** Kernel and modules; everything else is made of them. */
export const hostCompileStep: Step<HostKernelContext, CompileOutputs> = {
  id: 'compile',
  title: 'Compile kernel and modules',
  version: 1,
  inputs: async (context) => ({
    source: context.found.origin?.id ?? '',
    patched: context.found.patchedDigest,
    config: context.found.configDigest,
    buildroot: context.buildrootInputs,
  }),
  run: async (context, tools) => {
    const { area } = context
    const { obj } = context.places
    const before = (tools.previous as CompileOutputs | undefined)?.items
    const modular = hasModules(area, obj)
    const targets = modular ? ['bzImage', 'modules'] : ['bzImage']
    const items = await kbuild(context, targets, tools, before === undefined ? {} : { expectedItems: before })
    const image = join(obj, imagePath)
    const told = area.requireText(join(obj, 'include/config/kernel.release')).trim()
    const release = pathWord('the kernel release', told)
    if (!release.endsWith(context.spec.localversion)) {
      throw buildError(
        'E_KERNEL_RELEASE',
        `the kernel calls itself ${release}, without ${context.spec.localversion}`,
      )
    }
    const symvers = join(obj, 'Module.symvers')
    const trees = { area, kernelSrcDir: context.places.src, kernelObjDir: obj }
    return {
      release,
      imageSha256: await area.sha256(image, tools.signal),
      imageMtimeMs: area.stat(image)?.mtimeMs ?? 0,
      symversSha256: area.isFile(symvers) ? await area.sha256(symvers, tools.signal) : '',
      interfaceDigest: modular ? await kernelInterface(trees, tools.signal) : '',
      // An incremental run says nothing of how long a whole one takes.
      items: Math.max(items, before ?? 0),
    }
  },
  intact: async (context, outputs) => {
    const found = context.area.stat(join(context.places.obj, imagePath))
    return found?.mtimeMs === outputs.imageMtimeMs
  },
  adopt: (context, outputs) => {
    context.found.release = outputs.release
    context.found.imageSha256 = outputs.imageSha256
    context.found.symversSha256 = outputs.symversSha256
    context.found.interfaceDigest = outputs.interfaceDigest
  },
  summary: ({ release }) => release,
}

const hasModules = (area: BuildArea, obj: string): boolean =>
  /^CONFIG_MODULES=y$/m.test(area.requireText(join(obj, '.config')))

/** The compiled kernel on this machine. */
export const kernelImage = (context: HostKernelContext): string => join(context.places.obj, imagePath)
