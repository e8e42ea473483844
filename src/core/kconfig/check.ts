import { sameValue } from './dot-config.ts'
import { nearestNames } from './nearest.ts'
import type { Assignment, DotConfig } from './types.ts'

/** The configuration that is checked; `file` is how messages name it. */
type CheckedConfig = Pick<DotConfig, 'file' | 'values'>

/**
 * How a wanted value fared. `stronger`: `y` where `m` was wanted. `missing`: the symbol does not
 * occur (and, where the tree is known, does not exist). `dropped`: it is not set. `changed`: it has
 * another value.
 */
export type CheckStatus = 'satisfied' | 'stronger' | 'missing' | 'dropped' | 'changed'

/** A wanted assignment that the final configuration does not hold. */
export interface ConfigMismatch {
  readonly symbol: string
  readonly wanted: string
  /** Undefined when the final configuration does not mention it. */
  readonly got: string | undefined
  readonly status: Exclude<CheckStatus, 'satisfied' | 'stronger'>
  readonly why: string
  readonly assignment: Assignment
}

/** Compares one wanted value with the final configuration; `# X is not set` equals absent. */
export function checkStatus(
  wanted: Pick<Assignment, 'symbol' | 'value'>,
  final: CheckedConfig,
  exists?: (symbol: string) => boolean,
): CheckStatus {
  const got = final.values.get(wanted.symbol)
  if (sameValue(wanted.value, got)) return 'satisfied'
  if (wanted.value === 'm' && got === 'y') return 'stronger'
  if (got === undefined) return exists?.(wanted.symbol) === true ? 'dropped' : 'missing'
  return got === 'n' ? 'dropped' : 'changed'
}

/**
 * Every wanted assignment that did not survive, in the order given. Works alike for a kernel's and
 * for OpenWrt's own .config.
 * @param knownSymbols every symbol of the tree, when it was read; tells missing from dropped
 */
export function checkConfig(
  wanted: readonly Assignment[],
  final: CheckedConfig,
  knownSymbols?: ReadonlySet<string>,
): readonly ConfigMismatch[] {
  const exists = knownSymbols === undefined ? undefined : (symbol: string) => knownSymbols.has(symbol)
  const mismatches: ConfigMismatch[] = []
  for (const assignment of wanted) {
    const status = checkStatus(assignment, final, exists)
    if (status === 'satisfied' || status === 'stronger') continue
    const got = final.values.get(assignment.symbol)
    const why = reason(status, assignment, got, final, knownSymbols)
    mismatches.push({ symbol: assignment.symbol, wanted: assignment.value, got, status, why, assignment })
  }
  return mismatches
}

function reason(
  status: ConfigMismatch['status'],
  assignment: Assignment,
  got: string | undefined,
  final: CheckedConfig,
  knownSymbols: ReadonlySet<string> | undefined,
): string {
  if (status === 'changed') return `${final.file} has ${got}`
  if (status === 'dropped')
    return 'it is not set: something it depends on is not met, or a later layer unset it'
  const near = nearestNames(assignment.symbol, knownSymbols ?? final.values.keys())
  const hint = near.length === 0 ? '' : `; similar names: ${near.join(', ')}`
  if (knownSymbols !== undefined) return `this tree has no such symbol${hint}`
  return `not in ${final.file}: no such symbol there, or what it depends on is not met${hint}`
}
