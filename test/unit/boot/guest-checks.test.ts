import { execFileSync } from 'node:child_process'
import test from 'ava'
import { guestChecks } from '../../../src/core/boot/guest-checks.ts'
import { judgeBoard, judgeNetwork, judgeRoot } from '../../../src/core/boot/judgements.ts'

const partitions =
  'major minor  #blocks  name\n\n 254        0     131072 vda\n 254        2     106496 vda2\n   7        0     100000 loop0\n   8 1 100 sda1'
const roots: readonly (readonly [title: string, mounts: string, passed: boolean, detail: RegExp])[] = [
  ['ext4', '24 1 254:2 / / rw,noatime - ext4 /dev/root rw', true, /ext4 on vda2, read-write/],
  ['read-only ext4', '24 1 254:2 / / ro,noatime - ext4 /dev/root rw', false, /read-only/],
  ['ext4 whose superblock is read-only', '24 1 254:2 / / rw - ext4 /dev/root ro', false, /read-only/],
  ['another disk', '24 1 8:1 / / rw - ext4 /dev/root rw', false, /on sda1, read-write; expected it on vda/],
  ['initramfs', '1 1 0:2 / / rw - rootfs rootfs rw', false, /rootfs on 0:2/],
  [
    'squashfs with an overlay',
    '18 1 254:2 / /rom ro,relatime - squashfs /dev/root ro\n30 1 7:0 / /overlay rw - f2fs /dev/loop0 rw\n31 1 0:15 / / rw,noatime - overlay overlayfs:/overlay rw,lowerdir=/',
    true,
    /overlay over squashfs on vda2, changes on f2fs/,
  ],
  [
    'an overlay over nothing',
    '31 1 0:15 / / rw - overlay overlayfs:/overlay rw',
    false,
    /\/rom is not mounted/,
  ],
  ['nothing', '', false, /no root file system/],
]
for (const [title, mounts, passed, detail] of roots) {
  test(`root file system: ${title}`, (t) => {
    const judgement = judgeRoot(`${mounts}\n\n${partitions}`, 'vda')
    t.is(judgement.passed, passed)
    t.regex(judgement.detail, detail)
  })
}

test('network', (t) => {
  const up = '3: br-lan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500\n    inet 192.168.1.1/24 brd 1.1.1.1'
  t.true(judgeNetwork(up).passed)
  t.false(judgeNetwork(up.replace('192.168.1.1', '10.0.0.1')).passed)
  t.false(judgeNetwork(up.replace(',UP', '')).passed)
  t.regex(judgeNetwork("ip: can't find device").detail, /no interface/)
  t.regex(judgeNetwork('3: br-lan: <UP>').detail, /no IPv4/)
})

test('board', (t) => {
  t.deepEqual(judgeBoard('{\n "kernel": "6.1"\n}', 0), { passed: true, detail: '{"kernel":"6.1"}' })
  t.false(judgeBoard('Command failed: Not found', 4).passed)
})

const share = { tag: 'hostshare', hostToken: 'aaaa', guestToken: 'bbbb' }
const checks = guestChecks({
  hypervisors: ['kvm', 'vmware'],
  firmware: 'bios',
  expectedDisk: 'vda',
  shares: [share],
})
const checkNamed = (name: string): (typeof checks)[number] => {
  const check = checks.find((candidate) => candidate.name === name)
  if (check === undefined) throw new Error(name)
  return check
}

test('drivers: those without a device are named', (t) => {
  const { judge } = checkNamed('kvm-drivers')
  const virtio = (names: readonly string[]): string =>
    names.map((name, index) => `/sys/bus/virtio/drivers/${name}/virtio${index}`).join(' ')
  t.true(
    judge(virtio(['virtio_scsi', 'virtio_net', 'virtio_rng', 'virtio_balloon', 'virtio_console']), 0).passed,
  )
  t.is(
    judge(virtio(['virtio_net', 'virtio_rng', 'virtio_balloon']), 0).detail,
    'no device is bound to virtio_blk or virtio_scsi, virtio_console',
  )
  t.regex(
    judge('/sys/bus/virtio/drivers/*/virtio[0-9]* /sys/bus/pci/drivers/*/0000:*', 0).detail,
    /no device/,
  )
  t.true(
    checkNamed('vmware-drivers').judge(
      '/sys/bus/pci/drivers/vmw_pvscsi/0000:00:08.0 /sys/bus/pci/drivers/vmxnet3/0000:00:03.0',
      0,
    ).passed,
  )
})

test('share: what the guest says is told apart', (t) => {
  const { judge } = checkNamed('share-hostshare')
  t.like(judge('mounted by the image\naaaa', 0), {
    passed: true,
    detail: 'mounted by the image, read and written',
  })
  t.false(judge('mounted by hand\nother', 0).passed)
  t.like(judge('mount: mounting hostshare failed: No such device', 1), { passed: false, final: true })
  t.regex(judge('', 90).detail, /not mounted by the image's own init script/)
})

for (const check of checks) {
  test(`the command of ${check.name} is one line that a POSIX shell parses`, (t) => {
    t.notRegex(check.command, /\n/)
    t.notThrows(() => execFileSync('sh', ['-n', '-c', `echo a; ${check.command}; echo b`]))
  })
}
