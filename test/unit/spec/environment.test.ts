import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import { environmentLayer, unknownVariables } from '../../../src/core/spec/environment.ts'
import { openwrtLayer } from '../../../src/core/spec/options.ts'

test('variables become options: lists, numbers, switches and text', (t) => {
  const env = {
    FWBUILD_HV: 'kvm,hyperv,',
    FWBUILD_ROOTFS_SIZE_MB: '512',
    FWBUILD_OFFLINE: '1',
    FWBUILD_BOOT: 'false',
    FWBUILD_FORCE_PCI_HYPERV: 'true',
    FWBUILD_WORK: '/srv/work',
    FWBUILD_RELEASE: '',
    FWBUILD_UNKNOWN: 'x',
    PATH: '/bin',
  }
  t.deepEqual(environmentLayer(env, openwrtLayer), {
    hv: ['kvm', 'hyperv'],
    rootfsSizeMb: 512,
    offline: true,
    boot: false,
    forcePciHyperv: true,
    work: '/srv/work',
  })
})

for (const [variable, value] of [
  ['FWBUILD_JOBS', 'many'],
  ['FWBUILD_JOBS', '0'],
  ['FWBUILD_JOBS', '1.5'],
  ['FWBUILD_BOOT', 'yes'],
  ['FWBUILD_ENGINE', 'podman'],
  ['FWBUILD_MIRROR', 'nonsense'],
  ['FWBUILD_MIRROR', 'http:///debian'],
  ['FWBUILD_IMAGE', 'raw,iso'],
  ['FWBUILD_ROOTFS_SIZE_MB', '-3'],
] as const) {
  test(`${variable}=${value} is refused by its name`, (t) => {
    const error = t.throws(() => environmentLayer({ [variable]: value }, openwrtLayer), {
      instanceOf: FwbuildError,
    })
    t.is(error.code, 'E_ENV_INVALID')
    t.is(error.exitCode, 2)
    t.true(error.message.startsWith(`${variable}=${value}: `), error.message)
  })
}

test('variables that are no settings are told with the nearest one', (t) => {
  const env = {
    FWBUILD_RELAESE: 'mini',
    FWBUILD_ROOTFS_SIZE: '512',
    FWBUILD_XYZZY: '',
    FWBUILD_HV: 'kvm',
    FWBUILD_NOHUP: '1',
    PATH: '/bin',
  }
  t.deepEqual(unknownVariables(env), [
    'FWBUILD_RELAESE is set, but there is no such setting; was FWBUILD_RELEASE meant?',
    'FWBUILD_ROOTFS_SIZE is set, but there is no such setting; was FWBUILD_ROOTFS_SIZE_MB meant?',
    'FWBUILD_XYZZY is set, but there is no such setting',
  ])
})
