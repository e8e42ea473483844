import test from 'ava'
import {
  layeredKernelConfig,
  symbolsFromOpenwrt,
  type KernelLayers,
} from '../../../src/core/openwrt/kernel-layers.ts'

const none: KernelLayers = { stack: [], openwrtConfig: '', kernelDefaults: '', packages: '' }
const merge = (layers: Partial<KernelLayers>): Record<string, string> =>
  Object.fromEntries(layeredKernelConfig({ ...none, ...layers }))

/** As the real file has them, with what stands around. */
const kernelDefaults = `
define Kernel/SetNoInitramfs
	mv $(LINUX_DIR)/.config.set $(LINUX_DIR)/.config.old
	grep -v INITRAMFS $(LINUX_DIR)/.config.old > $(LINUX_DIR)/.config.set
	echo 'CONFIG_INITRAMFS_SOURCE=""' >> $(LINUX_DIR)/.config.set
	echo '# CONFIG_INITRAMFS_FORCE is not set' >> $(LINUX_DIR)/.config.set
endef

define Kernel/Configure/Default
	rm -f $(LINUX_DIR)/localversion
	$(LINUX_CONF_CMD) > $(LINUX_DIR)/.config.target
	echo "# CONFIG_KALLSYMS_ALL is not set" >> $(LINUX_DIR)/.config.target
	echo "CONFIG_KALLSYMS_UNCOMPRESSED=y" >> $(LINUX_DIR)/.config.target
endef
`

test('the last file of the stack wins, sorted by name', (t) => {
  const values = layeredKernelConfig({
    ...none,
    stack: ['CONFIG_B=y\n# CONFIG_A is not set\nCONFIG_S="a=b"\n', 'CONFIG_A=m\n# a comment\n'],
  })
  t.deepEqual(
    [...values],
    [
      ['A', 'm'],
      ['B', 'y'],
      ['S', '"a=b"'],
    ],
  )
})

test('CONFIG_KERNEL_* of OpenWrt beats the stack, also where it is off', (t) => {
  const openwrtConfig = 'CONFIG_KERNEL_PRINTK=y\n# CONFIG_KERNEL_PCI_HYPERV is not set\nCONFIG_OTHER=y\n'
  t.deepEqual(merge({ stack: ['CONFIG_PCI_HYPERV=y\nCONFIG_X=y\n'], openwrtConfig }), {
    PCI_HYPERV: 'n',
    PRINTK: 'y',
    X: 'y',
  })
  t.deepEqual([...symbolsFromOpenwrt(openwrtConfig)], ['PRINTK', 'PCI_HYPERV'])
})

test('a package makes symbols stronger, never weaker', (t) => {
  t.deepEqual(
    merge({
      stack: ['CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=m\nCONFIG_D=m\n'],
      packages:
        'CONFIG_A=m\nCONFIG_B=m\nCONFIG_C=y\n# CONFIG_D is not set\nCONFIG_E=m\nCONFIG_E=y\n# CONFIG_F is not set\n',
    }),
    { A: 'y', B: 'm', C: 'y', D: 'm', E: 'y', F: 'n' },
  )
})

test('the lines that kernel-defaults.mk adds, and no initramfs', (t) => {
  const stack = ['CONFIG_KALLSYMS_ALL=y\nCONFIG_INITRAMFS_ROOT_UID=0\nCONFIG_BLK_DEV_INITRD=y\n']
  t.deepEqual(merge({ stack, kernelDefaults }), {
    BLK_DEV_INITRD: 'y',
    INITRAMFS_FORCE: 'n',
    INITRAMFS_SOURCE: '""',
    KALLSYMS_ALL: 'n',
    KALLSYMS_UNCOMPRESSED: 'y',
  })
})
