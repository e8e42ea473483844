import test from 'ava'
import { buildUser, fallbackUser } from '../../../src/effects/build-user.ts'
import { withAccount } from '../../../src/effects/docker/identity.ts'
import { pathInside } from '../../../src/effects/mounts.ts'

const root = { uid: 0, gid: 0 }

test('a build never runs as root', (t) => {
  t.deepEqual(buildUser({}, { uid: 1000, gid: 100 }), { uid: 1000, gid: 100 })
  t.deepEqual(buildUser({ SUDO_UID: '1001', SUDO_GID: '1002' }, root), { uid: 1001, gid: 1002 })
  t.deepEqual(buildUser({ SUDO_UID: '0', SUDO_GID: '0' }, root), fallbackUser)
  t.deepEqual(buildUser({ SUDO_UID: 'x', SUDO_GID: '5' }, root), fallbackUser)
  t.deepEqual(buildUser({ SUDO_UID: '1001' }, { uid: 7, gid: 8 }), { uid: 7, gid: 8 })
  t.not(fallbackUser.uid, 0)
})

test('an account is added unless the id has one', (t) => {
  const passwd = 'root:x:0:0:root:/root:/bin/sh\n\nnode:x:1000:1000::/home/node:/bin/sh'
  t.is(
    withAccount(passwd, 5, 'me:x:5:5::/:/bin/sh'),
    'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\nme:x:5:5::/:/bin/sh\n',
  )
  t.false(withAccount(passwd, 1000, 'me:x:1000:5::/:/bin/sh').includes('me:'))
})

test('paths are mapped by the innermost mount', (t) => {
  const mounts = [
    { source: '/w/trees', target: '/build' },
    { source: '/w/trees/dl', target: '/dl' },
  ]
  t.is(pathInside(mounts, '/w/trees/a/b'), '/build/a/b')
  t.is(pathInside(mounts, '/w/trees'), '/build')
  t.is(pathInside(mounts, '/w/trees/dl/x'), '/dl/x')
  t.is(pathInside(mounts, '/w/trees/dl2'), '/build/dl2')
  t.is(pathInside(mounts, '/w/trees/..x'), '/build/..x')
  t.throws(() => pathInside(mounts, '/w/tree'), { instanceOf: TypeError })
})
