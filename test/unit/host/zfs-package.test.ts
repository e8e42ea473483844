import { spawnSync } from 'node:child_process'
import test from 'ava'
import { zfsModulesPackage } from '../../../src/core/host/zfs-package.ts'

const spec = {
  release: '6.1.192-fwbuild-acs',
  imageVersion: '6.1.192-1',
  zfsVersion: '2.3.9-0+deb13u1',
  installedKib: 5000,
}

test('the package belongs to one kernel package, exactly', (t) => {
  const made = zfsModulesPackage(spec)
  t.is(made.name, 'zfs-modules-6.1.192-fwbuild-acs')
  t.is(made.version, '2.3.9+k6.1.192-1')
  t.is(made.fields['Depends'], 'linux-image-6.1.192-fwbuild-acs (= 6.1.192-1), kmod')
  t.is(made.fields['Conflicts'], 'zfs-dkms')
  t.regex(made.fields['Provides'] ?? '', /^zfs-modules\b/)
})

test('a kernel that was built again has a newer package', (t) => {
  const { status } = spawnSync('dpkg', [
    '--compare-versions',
    zfsModulesPackage({ ...spec, imageVersion: '6.1.192-2' }).version,
    'gt',
    zfsModulesPackage(spec).version,
  ])
  if (status === null) t.log('no dpkg on this machine')
  t.true(status === null || status === 0)
})

test('its scripts are sh, and quiet where the kernel is gone', (t) => {
  const { postinst, postrm } = zfsModulesPackage({ ...spec, release: '0.0.0-nowhere' }).scripts
  for (const [script, argument] of [
    [postinst, 'configure'],
    [postrm, 'remove'],
    [postrm, 'purge'],
  ] as const) {
    const { status, stderr } = spawnSync('sh', ['-s', '--', argument], { input: script, encoding: 'utf8' })
    t.is(status, 0, stderr)
  }
})
