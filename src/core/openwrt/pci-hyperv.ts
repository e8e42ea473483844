import { compareSeries, parseSeries } from '../kconfig/series.ts'

/** What to do about the symbol KERNEL_PCI_HYPERV in one tree, and the sentence that tells the user why. */
export interface PciHypervDecision {
  readonly action: 'insert' | 'skip'
  /** True when the OpenWrt configuration must ask for CONFIG_KERNEL_PCI_HYPERV=y. */
  readonly enable: boolean
  readonly message: string
}

export interface PciHypervFacts {
  /** Text of config/Config-kernel.in. */
  readonly configKernelIn: string
  /** Kernel series of the target, e.g. `4.9`. */
  readonly kernel: string
  /** The target's own kernel configuration has PCI_HYPERV=y. */
  readonly nativelyOn: boolean
  readonly force: boolean
}

const symbol = /^config KERNEL_PCI_HYPERV$/m
const firstKernel = { major: 4, minor: 6 }

/**
 * kernel-defaults.mk copies also the *unset* CONFIG_KERNEL_* symbols, last, into the kernel configuration:
 * adding the symbol where the kernel has PCI_HYPERV=y by itself would switch it off unless it is set.
 */
export function decidePciHyperv(facts: PciHypervFacts): PciHypervDecision {
  if (symbol.test(facts.configKernelIn)) {
    return {
      action: 'skip',
      enable: true,
      message: 'KERNEL_PCI_HYPERV is already in config/Config-kernel.in',
    }
  }
  const series = parseSeries(facts.kernel)
  if (series !== undefined && compareSeries(series, firstKernel) < 0) {
    const message = `Linux ${facts.kernel} has no PCI_HYPERV (it came with 4.6): KERNEL_PCI_HYPERV is left out`
    return { action: 'skip', enable: false, message }
  }
  if (facts.nativelyOn && !facts.force) {
    const message = `this target’s kernel has PCI_HYPERV=y by itself: KERNEL_PCI_HYPERV is not needed`
    return { action: 'skip', enable: false, message }
  }
  const why = facts.nativelyOn
    ? 'as asked for, and set, since unset it would switch the driver off'
    : 'and set'
  return {
    action: 'insert',
    enable: true,
    message: `KERNEL_PCI_HYPERV is added to config/Config-kernel.in ${why}`,
  }
}

/** Whether the last of a stack of kernel configuration files leaves a symbol at `y`. */
export function isOn(symbolName: string, stack: readonly string[]): boolean {
  const line = new RegExp(`^(?:CONFIG_${symbolName}=(.*)|# CONFIG_${symbolName} is not set)$`, 'gm')
  return stack.flatMap((text) => [...text.matchAll(line)]).at(-1)?.[1] === 'y'
}
