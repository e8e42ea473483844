import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import { cpuVendorOf, planPassthrough } from '../../../src/core/host/passthrough.ts'
import { readPciHost } from '../../../src/effects/sysfs-pci.ts'
import { unpackSysfs } from '../../helpers/sysfs-dump.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

test('without a device: both options with an override, none without', (t) => {
  t.deepEqual(planPassthrough([], [], 'missing').acsParameters, ['downstream', 'multifunction'])
  t.deepEqual(planPassthrough([], [], 'off').acsParameters, [])
})

test('a device that is not there', (t) => {
  const error = t.throws(() => planPassthrough(['0000:01:00.0'], [], 'off'), { instanceOf: FwbuildError })
  t.is(error?.code, 'E_DEVICE_MISSING')
})

test('two devices of one id: both are taken, which is told, or refused where the machine needs one', (t) => {
  const device = {
    address: '0000:01:00.0',
    parent: undefined,
    classCode: 0x020000,
    id: '8086:10d3',
    driver: undefined,
    group: 1,
    config: { multifunction: false, express: 'unknown', acs: 'unknown' },
    uses: [],
  } as const
  const twin = {
    ...device,
    address: '0000:02:00.0',
    group: 2,
    uses: [{ text: 'default route', needed: true }],
  }
  const error = t.throws(() => planPassthrough([device.address], [device, twin], 'off'), {
    instanceOf: FwbuildError,
  })
  t.is(error?.code, 'E_PASSTHROUGH_SHARED')
  t.regex(error?.message ?? '', /0000:02:00\.0 \(default route\)/)
  const idle = { ...twin, uses: [] }
  const { warnings } = planPassthrough([device.address], [device, idle], 'off')
  t.true(warnings.some((text) => text.startsWith('0000:02:00.0 has the id 8086:10d3')))
  const both = planPassthrough([device.address, twin.address], [device, twin], 'off')
  t.false(both.warnings.some((text) => text.includes('has the id')))
  t.true(
    both.warnings.some((text) => text.includes('default route')),
    'one that is in use',
  )
})

test('ports whose ACS is switched off need always', async (t) => {
  const directory = await temporaryDirectory(t)
  await unpackSysfs('test/fixtures/sysfs/acs-switched-off.tar.gz', directory)
  const { devices } = await readPciHost(directory, undefined)
  const card = devices.find(({ id }) => id === '8086:10d3')
  const { warnings } = planPassthrough([card?.address ?? ''], devices, 'missing')
  t.true(
    warnings.some((text) => text.includes('--acs=always')),
    warnings.join('\n'),
  )
})

test('vendors', (t) => {
  t.is(cpuVendorOf('processor\t: 0\nvendor_id\t: GenuineIntel\n'), 'intel')
  t.is(cpuVendorOf('vendor_id\t: AuthenticAMD\n'), 'amd')
  t.is(cpuVendorOf(''), 'other')
})
