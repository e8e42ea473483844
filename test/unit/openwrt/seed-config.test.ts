import test from 'ava'
import { parseDotConfig } from '../../../src/core/kconfig/dot-config.ts'
import { seedConfig, seedText, type SeedOptions } from '../../../src/core/openwrt/seed-config.ts'
import { openwrtSpec } from '../../../src/core/spec/openwrt-spec.ts'
import type { OpenwrtLayer } from '../../../src/core/spec/options.ts'

const plain: SeedOptions = {
  pciHyperv: false,
  packages: [],
  downloadFolder: '/build/dl',
  efiSymbol: undefined,
}

function seed(layer: OpenwrtLayer, options: Partial<SeedOptions> = {}) {
  const assignments = seedConfig(openwrtSpec([layer]), { ...plain, ...options })
  const config = parseDotConfig(seedText(assignments), '.config').values
  const need = (symbol: string) => assignments.find((wanted) => wanted.symbol === symbol)?.need
  return { config, need }
}

test('up to 19.07: Generic profile, padded images, no EFI', (t) => {
  for (const release of ['17.01', '18.06', '19.07']) {
    const { config } = seed({ release })
    t.is(config.get('TARGET_x86_64_Generic'), 'y')
    t.is(config.get('TARGET_IMAGES_PAD'), 'y')
    t.false(config.has('TARGET_x86_64_DEVICE_generic'))
    t.false(config.has('EFI_IMAGES'))
    t.false(config.has('GRUB_EFI_IMAGES'))
  }
})

test('from 21.02: device profile, EFI by GRUB_EFI_IMAGES', (t) => {
  for (const release of ['21.02', '22.03', '23.05', '24.10', '25.12', 'main']) {
    const { config, need } = seed({ release }, { efiSymbol: 'GRUB_EFI_IMAGES' })
    t.is(config.get('TARGET_x86_64_DEVICE_generic'), 'y')
    t.false(config.has('TARGET_IMAGES_PAD'))
    t.is(config.get('GRUB_EFI_IMAGES'), 'y')
    t.is(need('GRUB_EFI_IMAGES'), 'required')
  }
})

test('LEDE with the x86_uefi branch: EFI_IMAGES', (t) => {
  const { config } = seed({ release: 'lede' }, { efiSymbol: 'EFI_IMAGES' })
  t.is(config.get('EFI_IMAGES'), 'y')
  t.is(config.get('TARGET_x86_64_Generic'), 'y')
})

test('BIOS alone switches EFI off, and does not insist', (t) => {
  const { config, need } = seed({ release: '25.12', firmware: ['bios'] }, { efiSymbol: 'GRUB_EFI_IMAGES' })
  t.is(config.get('GRUB_EFI_IMAGES'), 'n')
  t.is(need('GRUB_EFI_IMAGES'), 'optional')
})

test('sizes: room for EFI by default, the user’s where given', (t) => {
  t.is(seed({}).config.get('TARGET_KERNEL_PARTSIZE'), '32')
  t.false(seed({}).config.has('TARGET_ROOTFS_PARTSIZE'))
  const { config } = seed({ kernelSizeMb: 64, rootfsSizeMb: 512 })
  t.is(config.get('TARGET_KERNEL_PARTSIZE'), '64')
  t.is(config.get('TARGET_ROOTFS_PARTSIZE'), '512')
})

test('upstream’s own conversions are off, in every release that knows them', (t) => {
  const { config, need } = seed({})
  for (const symbol of ['VMDK_IMAGES', 'VDI_IMAGES', 'VHDX_IMAGES', 'ISO_IMAGES']) {
    t.is(config.get(symbol), 'n')
    t.is(need(symbol), 'optional')
  }
})

test('packages of the user and of shares, each once; KERNEL_PCI_HYPERV only when wanted', (t) => {
  const { config, need } = seed(
    { package: ['nano', 'zlib'] },
    { packages: ['hostshares', 'zlib'], pciHyperv: true },
  )
  for (const name of ['nano', 'zlib', 'hostshares']) {
    t.is(config.get(`PACKAGE_${name}`), 'y')
    t.is(need(`PACKAGE_${name}`), 'required')
  }
  t.is(config.get('KERNEL_PCI_HYPERV'), 'y')
  t.false(seed({}).config.has('KERNEL_PCI_HYPERV'))
  t.is(config.get('DOWNLOAD_FOLDER'), '"/build/dl"')
})

test('a download folder with odd characters is a valid string of a .config', (t) => {
  t.is(seed({}, { downloadFolder: '/a "b"\\c' }).config.get('DOWNLOAD_FOLDER'), String.raw`"/a \"b\"\\c"`)
})

test('the text is the same for the same options', (t) => {
  const text = (): string => seedText(seedConfig(openwrtSpec([{ package: ['b', 'a'] }]), plain))
  t.is(text(), text())
})
