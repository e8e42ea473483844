import test from 'ava'
import { loadOrder, moduleName, readBuiltin, readDepends } from '../../../src/core/host/kernel-modules.ts'

test('names are the kernel’s, whatever the file is called', (t) => {
  t.is(moduleName('kernel/drivers/vfio/pci/vfio-pci.ko.xz'), 'vfio_pci')
  t.is(moduleName('extra/zfs.ko'), 'zfs')
  t.deepEqual(readDepends('vfio-pci-core,vfio\n'), ['vfio_pci_core', 'vfio'])
  t.deepEqual(readDepends('\n'), [])
  t.deepEqual([...readBuiltin('kernel/drivers/virtio/virtio_pci.ko\n')], ['virtio_pci'])
})

test('what a module needs is loaded before it, each once, and what is absent is named', (t) => {
  const depends: Readonly<Record<string, readonly string[]>> = {
    zfs: ['spl', 'zlib'],
    spl: ['zlib'],
    zlib: [],
    vfio_pci: ['vfio', 'irqbypass'],
    vfio: [],
  }
  t.deepEqual(
    loadOrder(['zfs', 'vfio-pci', 'nothing'], (name) => depends[name]),
    { ordered: ['zlib', 'spl', 'zfs', 'vfio', 'vfio_pci'], absent: ['irqbypass', 'nothing'] },
  )
})

test('modules that need each other do not hang it', (t) => {
  const { ordered } = loadOrder(['a'], (name) => (name === 'a' ? ['b'] : ['a']))
  t.deepEqual([...ordered].sort(), ['a', 'b'])
})
