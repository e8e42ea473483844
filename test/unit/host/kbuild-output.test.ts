import test from 'ava'
import { firstKbuildErrors, readKbuildLine } from '../../../src/core/host/kbuild-output.ts'

test('files that are made', (t) => {
  t.deepEqual(readKbuildLine('  CC      drivers/pci/quirks.o'), {
    type: 'made',
    item: 'drivers/pci/quirks.o',
  })
  t.deepEqual(readKbuildLine('  CC [M]  fs/ext4/inode.o'), { type: 'made', item: 'fs/ext4/inode.o' })
  t.deepEqual(readKbuildLine('  LD [M]  fs/ext4/ext4.ko'), { type: 'made', item: 'fs/ext4/ext4.ko' })
  t.is(readKbuildLine('Kernel: arch/x86/boot/bzImage is ready  (#1)'), undefined)
})

test('the file that failed, not the folders above it', (t) => {
  const lines = [
    '  CC      drivers/pci/pci.o',
    '../drivers/pci/quirks.c:4950:9: error: expected ‘;’ before ‘return’',
    ' 4950 |         return -ENOTTY;',
    '  CC      drivers/pci/rom.o',
    'make[4]: *** [../scripts/Makefile.build:250: drivers/pci/quirks.o] Error 1',
    'make[3]: *** [../scripts/Makefile.build:503: drivers/pci] Error 2',
  ]
  const failed = lines.map(readKbuildLine).find((event) => event?.type === 'failed')
  t.deepEqual(failed, { type: 'failed', item: 'drivers/pci/quirks.o' })
  const shown = firstKbuildErrors(lines)
  t.true(shown[0]?.includes('error: expected'))
  t.false(shown.includes('  CC      drivers/pci/rom.o'))
})

test('a disk that is full is the cause, whatever make says', (t) => {
  t.deepEqual(readKbuildLine('fatal error: error writing to x.s: No space left on device'), {
    type: 'disk-full',
  })
})
