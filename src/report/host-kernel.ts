import type { GroupsProof } from '../core/host/iommu-proof.ts'
import type { CheckResult } from '../core/boot/boot-result.ts'
import type { InstallProof } from '../core/host/install-proof.ts'
import type { ModulesProof } from '../core/host/modules-proof.ts'
import { groupsTable } from './groups-table.ts'
import { table } from './result-table.ts'

/** What `fwbuild host-kernel` ends with: packages, groups before and after, what the modules showed. */
export function hostKernelReport(found: {
  readonly release: string
  readonly patches: readonly { readonly name: string; readonly hunks: string }[]
  readonly delivered: readonly { readonly path: string; readonly sha256: string }[]
  readonly groupsProof: GroupsProof | undefined
  readonly modulesProof: ModulesProof | undefined
  readonly installProof: InstallProof | undefined
}): string {
  const packages = found.delivered.filter(({ path }) => path.endsWith('.deb') && !path.includes('/'))
  const { groupsProof, modulesProof, installProof } = found
  const parts = [
    table([['PATCH', 'HUNKS'], ...found.patches.map(({ name, hunks }) => [name, hunks])]),
    groupsProof === undefined
      ? ''
      : `${groupsTable(groupsProof)}rp0, rp1: ports; e, f: functions behind rp0; g: behind rp1\n`,
    checksTable([...(modulesProof?.checks ?? []), ...(installProof?.checks ?? [])]),
    table([['PACKAGE', 'SHA256'], ...packages.map(({ path, sha256 }) => [path, sha256.slice(0, 12)])]),
  ]
  return [...(found.patches.length === 0 ? parts.slice(1) : parts)].filter((part) => part !== '').join('\n')
}

const checksTable = (checks: readonly CheckResult[]): string =>
  checks.length === 0
    ? ''
    : table([
        ['CHECK', 'PROOF', ''],
        ...checks.map(({ name, status, detail }) => [name, status, detail.split('\n')[0] ?? '']),
      ])
