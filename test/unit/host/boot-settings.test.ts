import { spawnSync } from 'node:child_process'
import test from 'ava'
import {
  bootParameters,
  bootSettingsFiles,
  bootSettingsScripts,
  settingsPaths,
  type BootSettings,
  type SettingsDevice,
} from '../../../src/core/host/boot-settings.ts'

const card = (bdf: string, more: Partial<SettingsDevice> = {}): SettingsDevice => ({
  bdf,
  id: '8086:10d3',
  pciClass: '0x020000',
  modules: ['e1000e'],
  ...more,
})

const settings: BootSettings = {
  cpuVendor: 'intel',
  overrideParameters: ['pcie_acs_override=downstream,multifunction'],
  passthrough: [card('0000:01:00.0'), card('0000:01:00.1')],
  kernelRelease: '6.1.192-fwbuild-acs',
}

const fileOf = (given: BootSettings, path: string): string | undefined =>
  bootSettingsFiles(given).find((file) => file.path === path)?.content

test('parameters by vendor', (t) => {
  const of = (change: Partial<BootSettings>): string => bootParameters({ ...settings, ...change }).join(' ')
  const override = 'pcie_acs_override=downstream,multifunction'
  t.is(of({}), `intel_iommu=on,igfx_off iommu=pt ${override}`)
  t.is(of({ cpuVendor: 'amd' }), `iommu=pt ${override}`)
  t.is(of({ cpuVendor: 'other', overrideParameters: [] }), 'intel_iommu=on,igfx_off iommu=pt')
})

test('an integrated GPU that goes to a guest keeps its IOMMU', (t) => {
  const gpu = card('0000:00:02.0', { id: '8086:5912', pciClass: '0x030000', modules: ['i915'] })
  t.is(bootParameters({ ...settings, passthrough: [gpu] })[0], 'intel_iommu=on')
  const other = { ...gpu, bdf: '0000:03:00.0' }
  t.is(bootParameters({ ...settings, passthrough: [other] })[0], 'intel_iommu=on,igfx_off')
})

test('the drop-in adds to what the machine has, read as GRUB reads it', (t) => {
  const input = `GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n${fileOf(settings, settingsPaths.grub)}\necho "$GRUB_CMDLINE_LINUX_DEFAULT"`
  t.is(
    spawnSync('sh', ['-eu'], { input, encoding: 'utf8' }).stdout,
    'quiet intel_iommu=on,igfx_off iommu=pt pcie_acs_override=downstream,multifunction\n',
  )
})

test('vfio-pci gets each id once and comes before the drivers', (t) => {
  const gpu = card('0000:02:00.0', {
    id: '10de:1b80',
    pciClass: '0x030000',
    modules: ['nvidiafb', 'nouveau', 'vfio-pci'],
  })
  const text =
    fileOf({ ...settings, passthrough: [...settings.passthrough, gpu] }, settingsPaths.modprobe) ?? ''
  t.deepEqual(
    text.split('\n').filter((line) => line !== '' && !line.startsWith('#')),
    [
      'softdep e1000e pre: vfio-pci',
      'softdep nouveau pre: vfio-pci',
      'softdep nvidiafb pre: vfio-pci',
      'options vfio-pci ids=10de:1b80,8086:10d3',
    ],
  )
})

test('without devices there is nothing of vfio-pci, and no initramfs is made', (t) => {
  const none = { ...settings, passthrough: [] }
  t.deepEqual(
    bootSettingsFiles(none).map(({ path }) => path),
    [settingsPaths.grub],
  )
  const { postinst = [], postrm = [] } = bootSettingsScripts(none)
  t.deepEqual(
    [...postinst, ...postrm].map(({ argv }) => argv[0]),
    ['update-grub', 'update-grub'],
  )
})
