import { groupsText, parametersText, type GroupsProof, type GroupsRow } from '../core/host/iommu-proof.ts'
import { topologyTitles } from '../core/host/iommu-topology.ts'
import { table } from './result-table.ts'

/** The groups of each boot, before and after the override; devices: two ports, three functions behind them. */
export function groupsTable(proof: GroupsProof): string {
  const rows = proof.rows.map((row) => [
    row.topology,
    topologyTitles[row.topology],
    parametersText(row.parameters),
    groupsText(row.groups),
    effectOf(row, proof),
    row.status,
  ])
  return table([['', 'MACHINE', 'PARAMETER', 'GROUPS', 'EFFECT', 'PROOF'], ...rows])
}

function effectOf(row: GroupsRow, proof: GroupsProof): string {
  if (row.parameters.length === 0) return 'before'
  const before = proof.rows.find(
    ({ topology, parameters }) => topology === row.topology && parameters.length === 0,
  )
  if (before === undefined || row.groups.length === 0) return '?'
  return row.groups.length > before.groups.length ? `splits into ${row.groups.length}` : 'none'
}
