import test from 'ava'
import {
  isGoneFromPool,
  parseMadison,
  parseUpdateProblems,
  suitesFor,
} from '../../../src/core/host/apt-output.ts'

test('madison: name, version, suite; sources are no packages', (t) => {
  const text = [
    'linux-source-6.1 | 6.1.192-2 | http://mirror.example/debian-security bookworm-security/main amd64 Packages',
    'linux-source-6.1 | 6.1.176-1 | http://mirror.example/debian bookworm/main amd64 Packages',
    '  zfs-dkms | 2.3.2-2~bpo12+1 | http://mirror.example/debian bookworm-backports/contrib amd64 Packages',
    '     linux | 6.1.176-1 | http://mirror.example/debian bookworm/main Sources',
    '',
  ].join('\n')
  t.deepEqual(parseMadison(text), [
    { name: 'linux-source-6.1', version: '6.1.192-2', suite: 'bookworm-security' },
    { name: 'linux-source-6.1', version: '6.1.176-1', suite: 'bookworm' },
    { name: 'zfs-dkms', version: '2.3.2-2~bpo12+1', suite: 'bookworm-backports' },
  ])
})

test('update: an expired suite is told from one that is not there', (t) => {
  const lines = [
    'Hit:1 http://mirror.example/debian bookworm InRelease',
    'E: Release file for http://mirror.example/debian/dists/trixie-updates/InRelease is expired (invalid since 9d 2h).',
    "E: The repository 'http://mirror.example/debian bullseye-backports Release' does not have a Release file.",
    'W: Failed to fetch http://mirror.example/debian/dists/sid/InRelease  Could not connect',
    'N: Updating from such a repository can’t be done securely.',
  ]
  t.deepEqual(
    parseUpdateProblems(lines).map(({ suite, kind }) => [suite, kind]),
    [
      ['bullseye-backports', 'absent'],
      ['sid', 'absent'],
      ['trixie-updates', 'expired'],
    ],
  )
})

test('a pool that lost a version', (t) => {
  t.true(isGoneFromPool(['E: Failed to fetch http://m/pool/x.deb  404  Not Found [IP: 10.0.0.1 80]']))
  t.false(isGoneFromPool(['E: Failed to fetch http://m/pool/x.deb  Could not connect']))
})

test('suites: the host’s own first, newer ones after, none older', (t) => {
  const suites = suitesFor('trixie')
  t.deepEqual(suites.slice(0, 4), ['trixie-security', 'trixie-updates', 'trixie', 'trixie-backports'])
  t.is(suites.at(-1), 'sid')
  t.false(suites.some((suite) => suite.startsWith('bookworm')))
  t.deepEqual(suitesFor('noble').slice(0, 3), ['bookworm-security', 'bookworm-updates', 'bookworm'])
})
