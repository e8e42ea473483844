import test from 'ava'
import type { Artifact } from '../../../src/core/manifest/artifact.ts'
import { findingsTable } from '../../../src/report/findings-table.ts'
import { artifactTable, table } from '../../../src/report/result-table.ts'

test('columns are aligned, without blanks at the ends of lines', (t) => {
  t.is(table([['a', 'bb', ''], ['ccc', 'd', 'e'], []]), 'a    bb\nccc  d   e\n\n')
  t.is(table([]), '')
})

test('artifacts with their proofs', (t) => {
  const artifact: Artifact = {
    kind: 'combined',
    firmware: 'bios',
    format: 'raw',
    path: 'x.img',
    bytes: 3 * 1024 ** 2,
    sha256: '0123456789abcdef',
  }
  const check = (status: 'passed' | 'failed' | 'not-run') => ({ name: status, status, detail: '' })
  const text = artifactTable([
    artifact,
    {
      ...artifact,
      path: 'y.img',
      boot: {
        status: 'failed',
        firmware: 'bios',
        accel: 'tcg',
        checks: [check('passed'), check('failed'), check('not-run')],
        durationMs: 1,
        serialLog: 'l',
      },
    },
  ])
  t.regex(text, /^x\.img +raw +bios +3\.0 MiB +not booted +0123456789ab$/m)
  t.regex(text, /^y\.img .* failed \(1 of 2 checks, tcg\) /m)
})

test('findings with what to do below those that need it', (t) => {
  t.is(
    findingsTable([
      { id: 'a', title: 'Node', state: 'ok', detail: '20', packages: [] },
      { id: 'b', title: 'Docker daemon', state: 'missing', detail: 'none', advice: 'start it', packages: [] },
    ]),
    '✓ Node           20\n✗ Docker daemon  none\n                 → start it\n',
  )
})
