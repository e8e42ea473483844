import test from 'ava'
import { defaultRouteInterfaces, rootDevice } from '../../../src/core/host/proc-files.ts'

test('the root file system’s device, by number, by name, or not to be had', (t) => {
  const line = (number: string, type: string, source: string): string =>
    `22 1 ${number} / / rw,relatime shared:1 - ${type} ${source} rw\n`
  t.deepEqual(rootDevice(`${line('0:2', 'rootfs', 'none')}${line('259:2', 'ext4', '/dev/nvme0n1p2')}`), {
    number: '259:2',
  })
  t.deepEqual(rootDevice(line('0:25', 'btrfs', '/dev/sda2')), { name: 'sda2' })
  t.is(rootDevice(line('0:25', 'zfs', 'rpool/ROOT')), undefined)
  t.is(rootDevice(line('0:25', 'overlay', 'overlay')), undefined)
  t.is(rootDevice(''), undefined)
})

test('interfaces of default routes only', (t) => {
  const route =
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n' +
    'br0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n' +
    'br0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n'
  t.deepEqual(defaultRouteInterfaces(route), ['br0'])
  t.deepEqual(defaultRouteInterfaces(''), [])
})
