import type { Accelerator } from '../boot/boot-result.ts'

/** QEMU's card in the proofs: its functions stand for the devices that a user names. */
export interface InstallMachine {
  readonly accel: Accelerator
  readonly iommu: 'intel-iommu' | 'amd-iommu'
  /** Raw images: the system's, then such that are only read. */
  readonly disks: readonly string[]
  /** Starts this kernel instead of the first disk. */
  readonly direct?: {
    readonly kernelPath: string
    readonly initrdPath: string
    readonly parameters: readonly string[]
  }
}

/**
 * A PC with an IOMMU and, behind two root ports without ACS, three network functions; its serial port is on stdin
 * and stdout.
 */
export function installMachineCommand(machine: InstallMachine): readonly string[] {
  const { accel, iommu, disks, direct } = machine
  const port = (name: string, at: string, chassis: number): string =>
    `pcie-root-port,id=${name},bus=pcie.0,addr=${at},chassis=${chassis},disable-acs=on`
  const options = iommu === 'intel-iommu' ? ',intremap=on,caching-mode=on' : ',intremap=on'
  const devices = [
    `${iommu}${options}`,
    `${port('rp0', '1c.0', 1)},multifunction=on`,
    port('rp1', '1c.1', 2),
    'e1000e,bus=rp0,addr=0.0,romfile=,multifunction=on',
    'e1000e,bus=rp0,addr=0.1,romfile=',
    'e1000e,bus=rp1,addr=0.0,romfile=',
  ]
  return [
    'qemu-system-x86_64',
    '-nodefaults',
    '-no-user-config',
    '-display',
    'none',
    '-no-reboot',
    '-machine',
    'q35,kernel-irqchip=split',
    '-accel',
    accel,
    '-cpu',
    accel === 'kvm' ? 'host' : 'max',
    '-m',
    '1024',
    ...devices.flatMap((device) => ['-device', device]),
    ...disks.flatMap((path, index) => [
      '-drive',
      `if=none,id=disk${index},format=raw${index === 0 ? '' : ',readonly=on'},file=${path.replaceAll(',', ',,')}`,
      '-device',
      `virtio-blk-pci,drive=disk${index},bus=pcie.0,addr=${(index + 4).toString(16)}${index === 0 ? ',bootindex=1' : ''}`,
    ]),
    ...(direct === undefined
      ? []
      : ['-kernel', direct.kernelPath, '-initrd', direct.initrdPath, '-append', direct.parameters.join(' ')]),
    '-chardev',
    'stdio,id=serial0,signal=off',
    '-serial',
    'chardev:serial0',
  ]
}
