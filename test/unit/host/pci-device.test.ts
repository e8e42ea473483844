import test from 'ava'
import * as fc from 'fast-check'
import { acsOff, classText, pciAddress, readPciConfig } from '../../../src/core/host/pci-device.ts'

/** A configuration space with a PCI Express capability of a type, and an ACS capability where registers are given. */
function config(bytes: number, type: number, acs?: readonly [number, number]): Uint8Array {
  const space = Buffer.alloc(Math.max(bytes, 64))
  space.writeUInt16LE(0x0010, 6)
  space.writeUInt8(0x50, 0x34)
  if (bytes > 64) {
    // Power management first, then PCI Express.
    space.writeUInt16LE(0x6001, 0x50)
    space.writeUInt16LE(0x0010, 0x60)
    space.writeUInt16LE((type << 4) | 2, 0x62)
  }
  if (bytes > 256) {
    // AER first, then ACS.
    space.writeUInt32LE((0x148 << 20) | (1 << 16) | 0x0001, 0x100)
    space.writeUInt32LE((1 << 16) | (acs === undefined ? 0x0003 : 0x000d), 0x148)
    space.writeUInt16LE(acs?.[0] ?? 0, 0x14c)
    space.writeUInt16LE(acs?.[1] ?? 0, 0x14e)
  }
  return space
}

test('the type of a port and its ACS registers are found behind other capabilities', (t) => {
  t.deepEqual(readPciConfig(config(4096, 4, [0x5f, 0x1d])), {
    multifunction: false,
    express: 'root-port',
    acs: { capability: 0x5f, control: 0x1d },
  })
  t.is(readPciConfig(config(4096, 6)).acs, 'absent')
  t.is(readPciConfig(config(256, 0)).acs, 'absent')
  t.deepEqual(
    [0, 1, 9, 4, 5, 6, 7, 10].map((type) => readPciConfig(config(4096, type)).express),
    [
      'endpoint',
      'endpoint',
      'endpoint',
      'root-port',
      'upstream-port',
      'downstream-port',
      'pci-bridge',
      'other',
    ],
  )
})

test('what others than root see is unknown, not absent', (t) => {
  const space = Buffer.from(config(64, 0))
  space.writeUInt8(0x81, 14)
  t.deepEqual(readPciConfig(space), { multifunction: true, express: 'unknown', acs: 'unknown' })
  t.deepEqual(readPciConfig(new Uint8Array()), { multifunction: false, express: 'unknown', acs: 'unknown' })
})

test('a device without capabilities is conventional', (t) => {
  t.deepEqual(readPciConfig(new Uint8Array(256)), { multifunction: false, express: 'absent', acs: 'absent' })
})

test('any bytes are read without hanging or throwing', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 4096 }), (bytes) => {
      const { express } = readPciConfig(bytes)
      t.is(typeof express, 'string')
    }),
  )
  // Lists that bite their own tail.
  const loop = Buffer.from(config(4096, 4))
  loop.writeUInt8(0x50, 0x51)
  t.is(readPciConfig(loop).express, 'absent')
  const extended = Buffer.from(config(4096, 4))
  extended.writeUInt32LE((0x100 << 20) | 0x10001, 0x148)
  t.is(readPciConfig(extended).acs, 'absent')
})

test('controls count as off only where the device offers them', (t) => {
  t.deepEqual(acsOff({ capability: 0x1f, control: 0x11 }), ['request redirect', 'completion redirect'])
  t.deepEqual(acsOff({ capability: 0x01, control: 0x01 }), [])
})

test('addresses with and without domain, and what is none', (t) => {
  t.is(pciAddress('01:00.0'), '0000:01:00.0')
  t.is(pciAddress('0001:0A:1f.7'), '0001:0a:1f.7')
  for (const text of ['', '1:0.0', '01:00', '01:20.0', '01:00.8', '01:00.0 ; rm', 'eth0', '../01:00.0']) {
    t.is(pciAddress(text), undefined, text)
  }
})

test('classes in words, the unknown by number', (t) => {
  t.is(classText(0x010802), 'NVMe drive')
  t.is(classText(0x0c0330), 'USB controller')
  t.is(classText(0x0c0900), 'serial bus controller')
  t.is(classText(0xff0000), 'class ff00')
})
