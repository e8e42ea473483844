import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import { sha256File } from '../../effects/files.ts'
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
    const { obj } = context.places
    const before = (tools.previous as CompileOutputs | undefined)?.items
    const modular = await hasModules(obj)
    const targets = modular ? ['bzImage', 'modules'] : ['bzImage']
    const items = await kbuild(context, targets, tools, before === undefined ? {} : { expectedItems: before })
    const image = join(obj, imagePath)
    const release = (await readFile(join(obj, 'include/config/kernel.release'), 'utf8')).trim()
    if (!release.endsWith(context.spec.localversion)) {
      throw buildError(
        'E_KERNEL_RELEASE',
        `the kernel calls itself ${release}, without ${context.spec.localversion}`,
      )
    }
    const symvers = join(obj, 'Module.symvers')
    const trees = { kernelSrcDir: context.places.src, kernelObjDir: obj }
    return {
      release,
      imageSha256: await sha256File(image, tools),
      imageMtimeMs: (await stat(image)).mtimeMs,
      symversSha256: existsSync(symvers) ? await sha256File(symvers, tools) : '',
      interfaceDigest: modular ? await kernelInterface(trees, tools.signal) : '',
      // An incremental run says nothing of how long a whole one takes.
      items: Math.max(items, before ?? 0),
    }
  },
  intact: async (context, outputs) => {
    const found = await stat(join(context.places.obj, imagePath)).catch(() => undefined)
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

const hasModules = async (obj: string): Promise<boolean> =>
  /^CONFIG_MODULES=y$/m.test(await readFile(join(obj, '.config'), 'utf8'))

/** The compiled kernel on this machine. */
export const kernelImage = (context: HostKernelContext): string => join(context.places.obj, imagePath)
