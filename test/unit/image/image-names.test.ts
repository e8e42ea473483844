import test from 'ava'
import { outputName, recognizeImage } from '../../../src/core/image/image-names.ts'

const cases: readonly [name: string, expected: object | undefined][] = [
  [
    'lede-17.01.7-x86-64-combined-ext4.img.gz',
    { kind: 'combined', firmware: 'bios', filesystem: 'ext4', format: 'raw', gzip: true },
  ],
  [
    'openwrt-19.07.10-x86-64-combined-squashfs.vdi',
    { kind: 'combined', firmware: 'bios', filesystem: 'squashfs', format: 'vdi', gzip: false },
  ],
  [
    'lede-r4591+2-9551d91-x86-64-uefi-gpt-ext4.img.gz',
    { kind: 'combined', firmware: 'uefi', filesystem: 'ext4', gzip: true },
  ],
  [
    'openwrt-18.06.9-x86-64-rootfs-ext4.img.gz',
    { kind: 'rootfs', firmware: 'bios', filesystem: 'ext4', gzip: true },
  ],
  [
    'openwrt-25.12.0-x86-64-generic-ext4-combined-efi.img.gz',
    { kind: 'combined', firmware: 'uefi', filesystem: 'ext4', gzip: true },
  ],
  [
    'openwrt-23.05.5-x86-64-generic-squashfs-combined.vmdk',
    { kind: 'combined', firmware: 'bios', filesystem: 'squashfs', format: 'vmdk' },
  ],
  [
    'openwrt-23.05.5-x86-64-generic-squashfs-combined-efi.vhdx',
    { kind: 'combined', firmware: 'uefi', format: 'vhdx' },
  ],
  ['openwrt-23.05.5-x86-64-generic-ext4-rootfs.img.gz', { kind: 'rootfs', filesystem: 'ext4' }],
  [
    'openwrt-mini-x86-64-generic-ext4-combined.img.gz',
    { kind: 'combined', firmware: 'bios', filesystem: 'ext4', format: 'raw', gzip: true },
  ],
  ['openwrt-mini-x86-64-generic-ext4-combined-efi.img.gz', { kind: 'combined', firmware: 'uefi' }],
  ['openwrt-21.02.7-x86-64-generic-kernel.bin', { kind: 'kernel' }],
  ['lede-17.01.7-x86-64-vmlinuz', { kind: 'kernel' }],
  ['openwrt-22.03.7-x86-64-generic-image-efi.iso', { kind: 'iso', firmware: 'uefi' }],
  ['openwrt-25.12.0-x86-64-generic-rootfs.tar.gz', undefined],
  ['openwrt-25.12.0-x86-64-generic.manifest', undefined],
  ['openwrt-25.12.0-x86-64-generic.bom.cdx.json', undefined],
  ['sha256sums', undefined],
  ['profiles.json', undefined],
]

for (const [name, expected] of cases) {
  test(`${name} is ${expected === undefined ? 'no image' : 'recognised'}`, (t) => {
    const image = recognizeImage(name)
    if (expected === undefined) t.is(image, undefined)
    else t.like(image, expected)
  })
}

test("converted images keep upstream's name", (t) => {
  const image = recognizeImage('openwrt-25.12.0-x86-64-generic-ext4-combined-efi.img.gz')
  t.truthy(image)
  if (image === undefined) return
  t.is(outputName(image, 'raw'), 'openwrt-25.12.0-x86-64-generic-ext4-combined-efi.img')
  t.is(outputName(image, 'vpc'), 'openwrt-25.12.0-x86-64-generic-ext4-combined-efi.vhd')
})
