import { spawnSync } from 'node:child_process'
import test from 'ava'
import { renderMaintainerScript } from '../../../src/core/host/deb-control.ts'
import { zfsModulesPackage } from '../../../src/core/host/zfs-package.ts'

const spec = {
  release: '6.1.192-fwbuild-acs',
  imageVersion: '6.1.192-1',
  zfsVersion: '2.3.9-0+deb13u1',
  maintainer: 'fwbuild <root@localhost>',
}

test('the package belongs to one kernel package, exactly', (t) => {
  const { control } = zfsModulesPackage(spec)
  t.is(control.name, 'zfs-modules-6.1.192-fwbuild-acs')
  t.is(control.version, '2.3.9+k6.1.192-1')
  t.deepEqual(control.depends, ['linux-image-6.1.192-fwbuild-acs (= 6.1.192-1)', 'kmod'])
  t.deepEqual(control.conflicts, ['zfs-dkms'])
  t.regex(control.provides?.[0] ?? '', /^zfs-modules\b/)
})

test('a kernel that was built again has a newer package', (t) => {
  const { status } = spawnSync('dpkg', [
    '--compare-versions',
    zfsModulesPackage({ ...spec, imageVersion: '6.1.192-2' }).control.version,
    'gt',
    zfsModulesPackage(spec).control.version,
  ])
  if (status === null) t.log('no dpkg on this machine')
  t.true(status === null || status === 0)
})

test('its scripts are sh, and quiet where the kernel is gone', (t) => {
  const { postinst = [], postrm = [] } = zfsModulesPackage({ ...spec, release: '0.0.0-nowhere' }).scripts
  for (const [actions, argument] of [
    [postinst, 'configure'],
    [postrm, 'remove'],
    [postrm, 'purge'],
  ] as const) {
    const input = renderMaintainerScript(actions)
    const { status, stderr } = spawnSync('sh', ['-s', '--', argument], { input, encoding: 'utf8' })
    t.is(status, 0, stderr)
  }
})
