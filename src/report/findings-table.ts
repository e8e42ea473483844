import type { Finding } from '../core/host/requirements.ts'

const marks: Readonly<Record<Finding['state'], string>> = { ok: '✓', weak: '!', missing: '✗' }

/** Findings as aligned lines of text, what to do below each that needs it. */
export function findingsTable(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ title }) => title.length))
  const lines = findings.flatMap(({ state, title, detail, advice }) => [
    `${marks[state]} ${title.padEnd(width)}  ${detail}`,
    ...(advice === undefined ? [] : [`  ${' '.repeat(width)}  → ${advice}`]),
  ])
  return `${lines.join('\n')}\n`
}
