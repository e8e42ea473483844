import test from 'ava'
import { manifestSchema, sha256sums, type Manifest } from '../../../src/core/manifest/manifest.ts'

const manifest: Manifest = {
  version: 1,
  tool: { name: 'fwbuild', version: '0.1.0' },
  release: 'mini',
  kernel: '6.1',
  hypervisors: ['kvm'],
  shares: ['9p'],
  packages: [],
  commit: 'c',
  sources: [{ location: '/x', ref: 'main', commit: 'c' }],
  merges: [{ location: '/x', ref: 'b', commit: 'd', how: 'merge' }],
  patches: [],
  fragments: [{ file: 'a', sha256: 'b' }],
  buildroot: null,
  steps: [{ step: 'source', fingerprint: 'f', durationMs: 1 }],
  artifacts: [
    {
      kind: 'combined',
      firmware: 'uefi',
      format: 'qcow2',
      path: 'x.qcow2',
      bytes: 1,
      sha256: 'e',
      boot: {
        status: 'passed',
        firmware: 'uefi',
        accel: 'tcg',
        checks: [{ name: 'console', status: 'not-run', detail: '' }],
        durationMs: 5,
        serialLog: 'boot/x.log',
      },
    },
  ],
}

test('a manifest with all there is passes, anything unknown does not', (t) => {
  t.deepEqual(manifestSchema.parse(manifest), manifest)
  t.false(manifestSchema.safeParse({ ...manifest, more: 1 }).success)
  t.false(manifestSchema.safeParse({ ...manifest, version: 2 }).success)
})

test('sha256sums: as sha256sum -c reads them, by name', (t) => {
  t.is(
    sha256sums([
      { path: 'b', sha256: '2' },
      { path: 'a', sha256: '1' },
    ]),
    '1 *a\n2 *b\n',
  )
})
