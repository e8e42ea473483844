import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import { environmentLayer } from '../../../src/core/spec/environment.ts'
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
