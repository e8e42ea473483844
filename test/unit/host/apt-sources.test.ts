import test from 'ava'
import {
  debianMirrorsOf,
  parseDeb822Sources,
  parseSourcesList,
  renderSources,
} from '../../../src/core/host/apt-sources.ts'

test('one-line sources: options, comments, source packages and disabled lines', (t) => {
  const text = [
    '# deb http://old.example/debian wheezy main',
    'deb http://mirror.example/debian/ bookworm main contrib # ours',
    '  deb [ arch=amd64 signed-by=/k/debian-archive-keyring.gpg ] https://m.example/d bookworm-updates main',
    'deb [arch=amd64] http://tools.example/ ./',
    'deb-src http://mirror.example/debian bookworm main',
    'debx y z',
    'deb incomplete',
    '',
  ].join('\n')
  t.deepEqual(parseSourcesList(text), [
    { uris: ['http://mirror.example/debian/'], suites: ['bookworm'], components: ['main', 'contrib'] },
    {
      uris: ['https://m.example/d'],
      suites: ['bookworm-updates'],
      components: ['main'],
      signedBy: '/k/debian-archive-keyring.gpg',
    },
    { uris: ['http://tools.example/'], suites: ['./'], components: [] },
  ])
})

test('deb822 sources: stanzas, continuation lines, embedded keys, disabled and source-only stanzas', (t) => {
  const text = [
    'Types: deb deb-src',
    '# a comment inside',
    'URIs: http://a.example/debian',
    '  http://b.example/debian',
    'Suites: bookworm bookworm-updates',
    'Components: main',
    '   contrib',
    'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg',
    '',
    ' ',
    'types: deb',
    'Enabled: no',
    'URIs: http://off.example/debian',
    'Suites: bookworm',
    '',
    'Types: deb-src',
    'URIs: http://src.example/debian',
    'Suites: bookworm',
    '',
    'Types: deb',
    'URIs: https://other.example',
    'Suites: bookworm',
    'Components: main',
    'Signed-By:',
    ' -----BEGIN PGP PUBLIC KEY BLOCK-----',
    ' .',
    ' abc',
    '',
  ].join('\n')
  const sources = parseDeb822Sources(text)
  t.deepEqual(sources[0], {
    uris: ['http://a.example/debian', 'http://b.example/debian'],
    suites: ['bookworm', 'bookworm-updates'],
    components: ['main', 'contrib'],
    signedBy: '/usr/share/keyrings/debian-archive-keyring.gpg',
  })
  t.is(sources.length, 2)
  t.regex(sources[1]?.signedBy ?? '', /^-----BEGIN/)
})

test("Debian's mirrors are told from other repositories", (t) => {
  const others = [
    'deb https://tools.example bookworm main',
    'deb https://docker.example/linux/debian bookworm stable',
    'deb cdrom:[Debian 12]/ bookworm main',
    'deb file:/srv/debian bookworm main',
  ].join('\n')
  t.is(debianMirrorsOf(parseSourcesList(others)), undefined)
  t.deepEqual(
    debianMirrorsOf(
      parseSourcesList(
        `${others}\ndeb http://m.example/debian/ stable main\ndeb http://m.example/debian-security stable-security main`,
      ),
    ),
    { archive: 'http://m.example/debian', security: 'http://m.example/debian-security', updates: true },
  )
  // A proxy repository with a name of its own is known by its updates, or by the key it trusts.
  t.deepEqual(
    debianMirrorsOf(
      parseSourcesList(
        `${others}\ndeb http://proxy.example/x bookworm main\ndeb http://proxy.example/x bookworm-updates main`,
      ),
    ),
    { archive: 'http://proxy.example/x', updates: true },
  )
  t.deepEqual(
    debianMirrorsOf(
      parseDeb822Sources(
        'Types: deb\nURIs: https://p.example/y\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg',
      ),
    ),
    { archive: 'https://p.example/y', updates: true },
  )
})

test('sources of a suite follow the names its security suite had', (t) => {
  const mirrors = {
    archive: 'http://m.example/debian',
    updates: true,
    security: 'http://s.example/debian-security',
  }
  t.is(
    renderSources(mirrors, 'bookworm'),
    [
      'deb http://m.example/debian bookworm main',
      'deb http://m.example/debian bookworm-updates main',
      'deb http://s.example/debian-security bookworm-security main',
      '',
    ].join('\n'),
  )
  t.regex(renderSources(mirrors, 'buster'), /buster\/updates main/)
  t.false(renderSources({ archive: 'http://m.example/debian', updates: false }, 'trixie').includes('-'))
})
