import test from 'ava'
import { dkmsWarning, parseZfsVersion, zfsByDefault, zfsMismatch } from '../../../src/core/host/zfs-host.ts'

const host = { userland: '2.1.11-1+deb12u1', loaded: undefined, dkms: false, pools: false }

test('zfs version with and without a loaded module', (t) => {
  t.deepEqual(parseZfsVersion('zfs-2.1.11-1+deb12u1\nzfs-kmod-2.1.9-1\n'), {
    userland: '2.1.11-1+deb12u1',
    loaded: '2.1.9-1',
  })
  t.deepEqual(parseZfsVersion('zfs-2.1.11-1\n'), { userland: '2.1.11-1', loaded: undefined })
  t.deepEqual(parseZfsVersion(''), { userland: undefined, loaded: undefined })
})

test('ZFS is built where the host has it', (t) => {
  t.true(zfsByDefault(host))
  t.true(zfsByDefault({ ...host, userland: undefined, loaded: '2.1.11' }))
  t.false(zfsByDefault({ ...host, userland: undefined }))
})

test('commands and modules: equal, of one series, of two, none', (t) => {
  t.is(zfsMismatch(host, '2.1.11-1', 'bookworm'), undefined)
  t.regex(
    zfsMismatch(host, '2.1.15-1', 'bookworm') ?? '',
    /same series, which works together; .* 2\.1\.15 from bookworm/,
  )
  const other = zfsMismatch(host, '2.3.9-0+deb13u1', 'trixie') ?? ''
  t.regex(other, /does not promise[^]*zfsutils-linux 2\.3\.9 from trixie[^]*--zfs=2\.1\.11[^]*zpool upgrade/)
  t.regex(
    zfsMismatch({ ...host, userland: undefined }, '2.3.9-1', undefined) ?? '',
    /install zfsutils-linux 2\.3\.9$/,
  )
})

test('what the conflict with zfs-dkms takes away is told', (t) => {
  t.is(dkmsWarning(host), undefined)
  t.regex(dkmsWarning({ ...host, dkms: true }) ?? '', /other kernels/)
  t.regex(dkmsWarning({ ...host, dkms: true, pools: true }) ?? '', /out of reach/)
})
