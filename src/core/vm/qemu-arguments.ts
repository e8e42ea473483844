import type { VmDefinition, VmDevice, VmDisk, VmFirmware, VmNetwork } from './vm-definition.ts'

/**
 * The command line that runs a machine with its first serial port on stdin and stdout, without
 * display or monitor; a reboot ends it. Options as in QEMU's manual, 7.2 and newer.
 */
export function qemuCommand(vm: VmDefinition): readonly string[] {
  return [
    'qemu-system-x86_64',
    '-name',
    `guest=${escapeCommas(vm.name)}`,
    '-nodefaults',
    '-no-user-config',
    '-display',
    'none',
    '-vga',
    'std',
    '-no-reboot',
    '-machine',
    vm.machine,
    '-accel',
    vm.accel,
    '-cpu',
    vm.cpu,
    '-smp',
    String(vm.vcpus),
    '-m',
    String(vm.memoryMib),
    ...firmwareArguments(vm.firmware),
    ...vm.disks.flatMap(diskArguments),
    ...vm.networks.flatMap(networkArguments),
    ...vm.shares.flatMap(({ tag, path }, index) => [
      '-virtfs',
      `local,id=share${index},path=${escapeCommas(path)},mount_tag=${escapeCommas(tag)},security_model=none`,
    ]),
    ...vm.devices.flatMap(deviceArguments),
    '-chardev',
    'stdio,id=serial0,signal=off',
    '-serial',
    'chardev:serial0',
  ]
}

/** QEMU splits option values at commas; a doubled comma stands for one. */
const escapeCommas = (value: string): string => value.replaceAll(',', ',,')

function firmwareArguments(firmware: VmFirmware): readonly string[] {
  if (firmware.type === 'bios') return []
  return [
    '-drive',
    `if=pflash,unit=0,format=raw,readonly=on,file=${escapeCommas(firmware.codePath)}`,
    '-drive',
    `if=pflash,unit=1,format=raw,file=${escapeCommas(firmware.varsPath)}`,
  ]
}

function diskArguments(disk: VmDisk, index: number): readonly string[] {
  const snapshot = disk.discardWrites ? ',snapshot=on' : ''
  return [
    '-drive',
    `if=none,id=disk${index},format=${disk.format}${snapshot},file=${escapeCommas(disk.path)}`,
    '-device',
    `virtio-blk-pci,drive=disk${index},bootindex=${index}`,
  ]
}

function networkArguments(network: VmNetwork, index: number): readonly string[] {
  // No option ROM: a firmware that tries PXE would only lose time.
  return [
    '-netdev',
    `user,id=net${index},net=${network.cidr}`,
    '-device',
    `${network.model},netdev=net${index},romfile=`,
  ]
}

function deviceArguments(device: VmDevice): readonly string[] {
  if (device !== 'virtio-console') return ['-device', device]
  return [
    '-chardev',
    'null,id=console0',
    '-device',
    'virtio-serial-pci',
    '-device',
    'virtconsole,chardev=console0',
  ]
}
