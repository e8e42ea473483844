import type { AcsMode } from '../spec/options.ts'

export type { AcsMode }

/** What the kernel reads from `pcie_acs_override=`. */
export interface AcsOverride {
  readonly downstream: boolean
  readonly multifunction: boolean
  /** `vvvv:dddd`, lower case. */
  readonly ids: readonly string[]
  /** What the kernel warns of and ignores. */
  readonly unknown: readonly string[]
}

const idOption = /^id:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i

/** Reads the options of `pcie_acs_override=` as the patched kernel does. */
export function readAcsOverride(options: readonly string[]): AcsOverride {
  const given = options.filter((option) => option !== '')
  const ids = given.flatMap((option) => {
    const match = idOption.exec(option)
    return match === null ? [] : [pciId(match[1] ?? '', match[2] ?? '')]
  })
  return {
    downstream: given.includes('downstream'),
    multifunction: given.includes('multifunction'),
    ids,
    unknown: given.filter(
      (option) => option !== 'downstream' && option !== 'multifunction' && !idOption.test(option),
    ),
  }
}

/** Whether any option the kernel knows is among them: then it is tainted. */
export const overrideInForce = (override: AcsOverride): boolean =>
  override.downstream || override.multifunction || override.ids.length > 0

/** `vvvv:dddd` as the kernel prints it. */
export const pciId = (vendor: string, device: string): string =>
  `${vendor.padStart(4, '0')}:${device.padStart(4, '0')}`.toLowerCase()

/** The kernel parameter, or nothing where there is no option. */
export const overrideParameter = (options: readonly string[]): readonly string[] =>
  options.length === 0 ? [] : [`pcie_acs_override=${options.join(',')}`]
