import test from 'ava'
import { proofVm } from '../../../src/core/vm/proof-vm.ts'
import { qemuCommand } from '../../../src/core/vm/qemu-arguments.ts'

const base = {
  imagePath: '/images/a,b.qcow2',
  format: 'qcow2',
  firmware: { type: 'bios' },
  accel: 'tcg',
  hypervisors: ['kvm'],
  shares: [],
} as const

const valuesOf = (command: readonly string[], option: string): readonly string[] =>
  command.flatMap((argument, index) => (argument === option ? [command[index + 1] ?? ''] : []))

test('the disk is read in its own format, never written, and commas in its name are doubled', (t) => {
  t.deepEqual(valuesOf(qemuCommand(proofVm(base)), '-drive'), [
    'if=none,id=disk0,format=qcow2,snapshot=on,file=/images/a,,b.qcow2',
  ])
})

test('UEFI maps the code read-only and the variables private', (t) => {
  const firmware = { type: 'uefi', codePath: '/usr/share/OVMF/C.fd', varsPath: '/tmp/v.fd' } as const
  t.deepEqual(valuesOf(qemuCommand(proofVm({ ...base, firmware })), '-drive').slice(0, 2), [
    'if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/C.fd',
    'if=pflash,unit=1,format=raw,file=/tmp/v.fd',
  ])
})

test('the machine has the devices of the KVM set, and of the VMware set when asked', (t) => {
  const kvm = valuesOf(qemuCommand(proofVm(base)), '-device')
  t.deepEqual(
    kvm.map((device) => device.split(',')[0]),
    [
      'virtio-blk-pci',
      'virtio-net-pci',
      'virtio-scsi-pci',
      'virtio-rng-pci',
      'virtio-balloon-pci',
      'virtio-serial-pci',
      'virtconsole',
    ],
  )
  const both = valuesOf(qemuCommand(proofVm({ ...base, hypervisors: ['kvm', 'vmware'] })), '-device')
  t.true(both.some((device) => device.startsWith('vmxnet3,netdev=net1')))
  t.true(both.includes('pvscsi'))
})

test('the accelerator decides the CPU', (t) => {
  t.deepEqual(valuesOf(qemuCommand(proofVm(base)), '-cpu'), ['max'])
  t.deepEqual(valuesOf(qemuCommand(proofVm({ ...base, accel: 'kvm' })), '-cpu'), ['host'])
})

test('shares go over 9p, the LAN is the guest network of OpenWrt', (t) => {
  const command = qemuCommand(proofVm({ ...base, shares: [{ tag: 'hostshare', path: '/s,1' }] }))
  t.deepEqual(valuesOf(command, '-virtfs'), [
    'local,id=share0,path=/s,,1,mount_tag=hostshare,security_model=none',
  ])
  t.deepEqual(valuesOf(command, '-netdev'), ['user,id=net0,net=192.168.1.0/24'])
})
