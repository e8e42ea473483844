import test from 'ava'
import { compareCommand, conversionCommands, wholeSectorBytes } from '../../../src/core/image/conversion.ts'
import { formatOfName, formatsFor } from '../../../src/core/image/formats.ts'

test('each hypervisor gets the formats it imports, each once', (t) => {
  t.deepEqual(formatsFor(['kvm']), ['raw', 'qcow2'])
  t.deepEqual(formatsFor(['vmware']), ['vmdk'])
  t.deepEqual(formatsFor(['xen']), ['raw'])
  t.deepEqual(formatsFor(['hyperv', 'kvm']), ['raw', 'qcow2', 'vhdx'])
})

test('Azure adds a fixed VHD to Hyper-V only', (t) => {
  t.deepEqual(formatsFor(['hyperv'], { azure: true }), ['raw', 'vhdx', 'vpc'])
  t.deepEqual(formatsFor(['kvm'], { azure: true }), ['raw', 'qcow2'])
})

test("the user's own list replaces the derived one", (t) => {
  t.deepEqual(formatsFor(['kvm', 'hyperv'], { wanted: ['vdi', 'raw', 'vdi'], azure: true }), ['raw', 'vdi'])
})

test('file names tell their format', (t) => {
  t.is(formatOfName('a.img'), 'raw')
  t.is(formatOfName('a.RAW'), 'raw')
  t.is(formatOfName('a.vhd'), 'vpc')
  t.is(formatOfName('a.vhdx'), 'vhdx')
  t.is(formatOfName('a.iso'), undefined)
})

const mebibyte = 1024 * 1024

test('conversions carry the options that the importing product needs', (t) => {
  const from = { path: 'in.img', bytes: 8 * mebibyte }
  const options = (format: Parameters<typeof conversionCommands>[1]): string | undefined =>
    conversionCommands(from, format, 'out')[0]?.slice(6, -2).join(' ')
  t.is(options('raw'), '')
  t.is(options('vdi'), '')
  t.is(options('vmdk'), '-o subformat=streamOptimized,adapter_type=lsilogic')
  t.is(options('vhdx'), '-o subformat=dynamic')
  t.is(options('vpc'), '-o subformat=fixed,force_size=on')
})

test('a fixed VHD is made in whole mebibytes', (t) => {
  const commands = conversionCommands({ path: 'in.img', bytes: 8 * mebibyte + 512 }, 'vpc', 'out')
  t.deepEqual(commands[0]?.slice(-2), ['out', String(9 * mebibyte)])
  t.deepEqual(commands[1], ['qemu-img', 'convert', '-n', '-f', 'raw', '-O', 'vpc', 'in.img', 'out'])
})

test('raw images are cut to whole sectors', (t) => {
  t.is(wholeSectorBytes(1024), 1024)
  t.is(wholeSectorBytes(1024 + 511), 1024)
})

test('comparing names both formats, so that none is guessed', (t) => {
  t.deepEqual(compareCommand({ path: 'a', format: 'raw' }, { path: 'b', format: 'vhdx' }), [
    'qemu-img',
    'compare',
    '-q',
    '-f',
    'raw',
    '-F',
    'vhdx',
    'a',
    'b',
  ])
})
