import type { Accelerator } from '../boot/boot-result.ts'
import type { ImageFormat } from '../image/formats.ts'

/** A virtual machine, independent of the tool that runs it. */
export interface VmDefinition {
  readonly name: string
  readonly machine: 'q35' | 'pc'
  readonly accel: Accelerator
  /** QEMU's CPU model, with features. */
  readonly cpu: string
  readonly vcpus: number
  readonly memoryMib: number
  readonly firmware: VmFirmware
  readonly disks: readonly VmDisk[]
  readonly networks: readonly VmNetwork[]
  readonly shares: readonly NinePShare[]
  readonly devices: readonly VmDevice[]
}

export type VmFirmware =
  | { readonly type: 'bios' }
  | {
      readonly type: 'uefi'
      /** OVMF's code, mapped read-only. */
      readonly codePath: string
      /** A copy of OVMF's variables that belongs to this machine alone. */
      readonly varsPath: string
    }

export interface VmDisk {
  readonly path: string
  readonly format: ImageFormat
  /** Writes go to a temporary overlay that QEMU drops at its end. */
  readonly discardWrites: boolean
}

/** A NIC on QEMU's user network: no privileges needed, nothing reaches the host's networks. */
export interface VmNetwork {
  readonly model: 'virtio-net-pci' | 'vmxnet3'
  readonly cidr: string
}

/** A directory of the host, offered over virtio-9p. */
export interface NinePShare {
  /** At most 31 characters; the guest mounts by it. */
  readonly tag: string
  readonly path: string
}

/** Devices that only have to be there, so that the guest's driver can bind. */
export type VmDevice =
  | 'virtio-scsi-pci'
  | 'virtio-rng-pci'
  | 'virtio-balloon-pci'
  | 'virtio-console'
  | 'pvscsi'
