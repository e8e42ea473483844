/** Where a line was written. `file` is shown to the user as given. */
export interface Origin {
  readonly file: string
  /** From 1. */
  readonly line: number
}

/** `required`: the build fails when it did not survive; `optional`: it is only reported. */
export type Need = 'required' | 'optional'

/** One wanted symbol. */
export interface Assignment {
  /** Without the `CONFIG_` prefix. */
  readonly symbol: string
  /** As a .config writes it: `y`, `m`, `n` (for `is not set`), `42`, `0x1f` or a quoted `"text"`. */
  readonly value: string
  readonly origin: Origin
  readonly need: Need
}

/** Assignments with one purpose and the same conditions. */
export interface FragmentGroup {
  /** One line for people; empty in a plain fragment. */
  readonly purpose: string
  readonly need: Need
  /** First kernel series with these symbols. */
  readonly since?: KernelSeries
  /** Last kernel series with these symbols. */
  readonly until?: KernelSeries
  /** Wanted only where every one of these symbols exists. */
  readonly onlyIf: readonly string[]
  readonly assignments: readonly Assignment[]
}

/** A parsed fragment file. */
export interface Fragment {
  readonly file: string
  readonly groups: readonly FragmentGroup[]
}

/** A kernel's major and minor number; the patch level never changes a configuration's meaning here. */
export interface KernelSeries {
  readonly major: number
  readonly minor: number
}

/** The symbols of a .config file, last assignment first in rank as in the kernel's own reader. */
export interface DotConfig {
  readonly file: string
  /** Symbol without prefix to value; `# CONFIG_X is not set` is `n`. */
  readonly values: ReadonlyMap<string, string>
  /** Line of each symbol, from 1. */
  readonly lines: ReadonlyMap<string, number>
}

/** Formats an origin as `file:line`. */
export const originText = (origin: Origin): string => `${origin.file}:${origin.line}`
