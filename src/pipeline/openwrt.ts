import { bootStep } from './openwrt/boot.ts'
import { compileStep } from './openwrt/compile.ts'
import { configureStep } from './openwrt/configure.ts'
import type { OpenwrtContext } from './openwrt/context.ts'
import { downloadStep } from './openwrt/download.ts'
import { feedsStep } from './openwrt/feeds.ts'
import { imagesStep } from './openwrt/images.ts'
import { kernelConfigStep } from './openwrt/kernel-config.ts'
import { manifestStep } from './openwrt/manifest.ts'
import { mergeStep } from './openwrt/merge.ts'
import { patchStep } from './openwrt/patch.ts'
import { sourceStep } from './openwrt/source.ts'
import type { Step } from './run.ts'

/** The recipe of `fwbuild openwrt`. */
export const openwrtSteps = (toolVersion: string): readonly Step<OpenwrtContext>[] => [
  sourceStep,
  mergeStep,
  patchStep,
  feedsStep,
  configureStep,
  downloadStep,
  kernelConfigStep,
  compileStep,
  imagesStep,
  bootStep,
  manifestStep(toolVersion),
]
