import { spawnSync } from 'node:child_process'
import test from 'ava'
import { compareDebVersions } from '../../../src/core/host/deb-version.ts'
import { needProgram, testWith } from '../../helpers/need.ts'

const versions = [
  '6.1.176-1',
  '6.1.192-1',
  '6.1.192-2',
  '6.12.57-1~bpo12+1',
  '6.12.57-1',
  '6.12.117-1~deb12u1',
  '6.12.117-1',
  '6.12~rc1-1',
  '1:1.0-1',
  '2.3.2-2~bpo12+2',
  '2.3.2-2',
  '2.1.11-1+deb12u1',
  '2.1.11-1',
  '1.0a-1',
  '1.0.1',
  '1.0+b1',
  '1.0',
]

test('backports, security updates, epochs', (t) => {
  t.true(compareDebVersions('6.12.57-1~bpo12+1', '6.12.57-1') < 0)
  t.true(compareDebVersions('6.12.117-1', '6.12.57-1') > 0)
  t.true(compareDebVersions('1:1.0', '2.0') > 0)
  t.is(compareDebVersions('6.1.192-2', '6.1.192-2'), 0)
})

testWith([needProgram('dpkg')], 'dpkg orders every pair alike', (t) => {
  for (const a of versions) {
    for (const b of versions) {
      const older = spawnSync('dpkg', ['--compare-versions', a, 'lt', b]).status === 0
      t.is(compareDebVersions(a, b) < 0, older, `${a} < ${b}`)
    }
  }
})
