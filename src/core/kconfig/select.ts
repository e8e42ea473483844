import { usageError } from '../errors.ts'
import { outsideSeries, parseSeries } from './series.ts'
import type { Assignment, Fragment, FragmentGroup } from './types.ts'

/** Assignments of a fragment that one kernel is meant to get, and what was left out. */
export interface FragmentSelection {
  readonly assignments: readonly Assignment[]
  readonly skipped: readonly { readonly assignment: Assignment; readonly why: string }[]
}

/**
 * Leaves out what a fragment itself says is not for this kernel.
 * @param kernelVersion e.g. `6.12.103`
 * @param symbolExists asked for `only-if` symbols; without it such groups stay, but as optional
 * @throws usage error E_KERNEL_VERSION
 */
export function selectForKernel(
  fragment: Fragment,
  kernelVersion: string,
  symbolExists?: (symbol: string) => boolean,
): FragmentSelection {
  const kernel = parseSeries(kernelVersion)
  if (kernel === undefined)
    throw usageError('E_KERNEL_VERSION', `'${kernelVersion}' is no kernel version`, {
      hint: 'Expected something like 6.12 or 6.12.103.',
    })
  const assignments: Assignment[] = []
  const skipped: { assignment: Assignment; why: string }[] = []
  for (const group of fragment.groups) {
    const why = outsideSeries(group, kernel) ?? missingCondition(group, symbolExists)
    for (const assignment of group.assignments) {
      if (why !== undefined) skipped.push({ assignment, why })
      else if (group.onlyIf.length > 0 && symbolExists === undefined)
        assignments.push({ ...assignment, need: 'optional' })
      else assignments.push(assignment)
    }
  }
  return { assignments, skipped }
}

function missingCondition(
  group: FragmentGroup,
  symbolExists: ((symbol: string) => boolean) | undefined,
): string | undefined {
  if (symbolExists === undefined) return undefined
  const missing = group.onlyIf.find((symbol) => !symbolExists(symbol))
  return missing === undefined ? undefined : `wanted only where ${missing} exists`
}
