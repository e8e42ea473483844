import test from 'ava'
import { openwrtSpec } from '../../../src/core/spec/openwrt-spec.ts'
import { isDomainOf, trustDomain } from '../../../src/core/spec/trust-domain.ts'

const domainOf = (options: Parameters<typeof openwrtSpec>[0][number]) => trustDomain(openwrtSpec([options]))
const own = 'https://git.openwrt.org/openwrt/openwrt.git'

test('a release as the catalogue has it, also another branch of it, keeps its plain name', (t) => {
  t.deepEqual(domainOf({ release: '24.10' }), { name: '24.10', origins: [] })
  t.is(domainOf({ release: '24.10', source: `${own}#main` }).name, '24.10')
  t.is(domainOf({ release: '24.10', merge: [`${own}#main`], patch: ['x.patch'] }).name, '24.10')
  t.is(domainOf({ release: 'mini' }).name, 'mini')
})

test('each set of other origins is a domain of its own, whatever their order and refs', (t) => {
  const merges = ['https://a.example/x.git#one', '/home/b/tree#two']
  const { name, origins } = domainOf({ release: '24.10', merge: merges })
  t.deepEqual(origins, ['/home/b/tree', 'https://a.example/x.git'])
  t.is(domainOf({ release: '24.10', merge: [...merges].reverse() }).name, name)
  t.is(domainOf({ release: '24.10', merge: ['/home/b/tree#x', 'https://a.example/x.git#y'] }).name, name)
  const others = [
    domainOf({ release: '23.05', merge: merges }),
    domainOf({ release: '24.10', merge: ['/home/b/tree#two'] }),
    domainOf({ release: '24.10', source: '/home/b/tree', merge: ['/home/c/tree#two'] }),
    domainOf({ release: '24.10', source: `${own}/#main` }),
    domainOf({ release: 'mini', source: own }),
  ]
  t.is(new Set([name, ...others.map((each) => each.name)]).size, 6)
  for (const each of [name, ...others.map((other) => other.name)]) t.regex(each, /^[\w.]+-[0-9a-f]{10}$/)
})

test('what only waits in the catalogue’s repository to be taken is foreign', (t) => {
  for (const ref of [
    'pull/1026/head',
    'refs/pull/7/merge',
    'refs/merge-requests/3/head',
    'refs/changes/1/2/3',
  ]) {
    const { origins } = domainOf({ release: '24.10', merge: [`${own}#${ref}`] })
    t.deepEqual(origins, [`${own}#${ref}`])
  }
})

test('folders are told apart by release', (t) => {
  t.true(isDomainOf('24.10', '24.10'))
  t.true(isDomainOf('24.10', '24.10-0123456789'))
  t.false(isDomainOf('24.10', '24.10-rc1'))
  t.false(isDomainOf('24.10', '24.10.1-0123456789'))
  t.false(isDomainOf('host', 'host-kernel'))
})
