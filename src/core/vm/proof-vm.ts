import type { Accelerator } from '../boot/boot-result.ts'
import type { Hypervisor, ImageFormat } from '../image/formats.ts'
import type { NinePShare, VmDefinition, VmFirmware } from './vm-definition.ts'

/** The LAN of an OpenWrt image: 192.168.1.1 is the guest, QEMU's gateway is .2. */
const lanCidr = '192.168.1.0/24'
const sideCidr = '10.0.2.0/24'

/** Name of the image's disk in the guest: it is the only virtio-blk device. */
export const proofDisk = 'vda'

/**
 * The machine an image has to boot on: the devices of KVM's set, and beside them those of VMware's
 * that QEMU has, so that one boot shows the drivers of both.
 */
export function proofVm(options: {
  readonly imagePath: string
  readonly format: ImageFormat
  readonly firmware: VmFirmware
  readonly accel: Accelerator
  readonly hypervisors: readonly Hypervisor[]
  readonly shares: readonly NinePShare[]
}): VmDefinition {
  const vmware = options.hypervisors.includes('vmware')
  return {
    name: 'fwbuild-proof',
    machine: 'q35',
    accel: options.accel,
    cpu: options.accel === 'kvm' ? 'host' : 'max',
    vcpus: 1,
    memoryMib: 512,
    firmware: options.firmware,
    disks: [{ path: options.imagePath, format: options.format, discardWrites: true }],
    networks: [
      { model: 'virtio-net-pci', cidr: lanCidr },
      ...(vmware ? [{ model: 'vmxnet3', cidr: sideCidr } as const] : []),
    ],
    shares: options.shares,
    devices: [
      'virtio-scsi-pci',
      'virtio-rng-pci',
      'virtio-balloon-pci',
      'virtio-console',
      ...(vmware ? ['pvscsi' as const] : []),
    ],
  }
}
