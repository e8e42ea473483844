import test from 'ava'
import { tellsDiskFull } from '../../src/core/disk-full.ts'

test('a full disk is known by what programs say of it', (t) => {
  for (const line of [
    'cp: write error: No space left on device',
    'x86_64-linux-gnu-ld: final link failed: No space left on device',
    'tar: linux-6.12/COPYING: Cannot write: Disk quota exceeded',
    'error: file write error: Out of diskspace',
    'fixdep: not all data was written to the output',
  ]) {
    t.true(tellsDiskFull(line), line)
  }
  t.false(tellsDiskFull('fixdep: error opening file: fs/proc/.inode.o.d: No such file or directory'))
  t.false(tellsDiskFull('  CC      drivers/md/dm-space-map-disk.o'))
})
