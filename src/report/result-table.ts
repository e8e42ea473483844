import type { BootResult } from '../core/boot/boot-result.ts'
import type { Artifact } from '../core/manifest/artifact.ts'

/** Aligned columns, left-justified; numbers are the caller's to format. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)))
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('')
}

const mib = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MiB`

/** Artifacts and their proofs, for people. */
export function artifactTable(artifacts: readonly Artifact[]): string {
  const rows = artifacts.map((artifact) => [
    artifact.path,
    artifact.format,
    artifact.firmware,
    mib(artifact.bytes),
    bootText(artifact),
    artifact.sha256.slice(0, 12),
  ])
  return table([['IMAGE', 'FORMAT', 'FIRMWARE', 'SIZE', 'BOOT', 'SHA256'], ...rows])
}

function bootText({ boot, biosBoot }: Artifact): string {
  if (boot === undefined) return 'not booted'
  const own = verdict(boot)
  return biosBoot === undefined ? own : `${own}, by BIOS ${biosBoot.status}`
}

function verdict(boot: BootResult): string {
  const passed = boot.checks.filter((check) => check.status === 'passed').length
  const judged = boot.checks.filter((check) => check.status !== 'not-run').length
  return `${boot.status} (${passed} of ${judged} checks, ${boot.accel})`
}
