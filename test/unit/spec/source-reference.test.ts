import test from 'ava'
import { hostOf, isUrl, parseSourceReference } from '../../../src/core/spec/source-reference.ts'

test('location and ref are split at the first #', (t) => {
  t.deepEqual(parseSourceReference('../clone'), { location: '../clone', ref: undefined })
  t.deepEqual(parseSourceReference('/a/b#refs/pull/1/head'), { location: '/a/b', ref: 'refs/pull/1/head' })
  t.deepEqual(parseSourceReference('https://h/x.git#a#b'), { location: 'https://h/x.git', ref: 'a#b' })
})

for (const text of ['', '#main', 'path#', 'path#-x', '--upload-pack=x', '-x#main']) {
  test(`‘${text}’ is no source`, (t) => {
    t.throws(() => parseSourceReference(text), { message: /is not a source/, code: 'E_SOURCE_SYNTAX' })
  })
}

test('URLs are told from paths', (t) => {
  for (const url of ['https://h/x', 'ssh://u@h:22/x', 'git://h/x', 'file:///x', 'git@h:x.git'])
    t.true(isUrl(url), url)
  for (const path of ['/a/b', '../a', 'a', './u@h/x', 'a/b@c:d']) t.false(isUrl(path), path)
})

test('the host of a URL, without user and port', (t) => {
  t.is(hostOf('https://user:pass@example.org:8443/x.git'), 'example.org')
  t.is(hostOf('git@example.org:x.git'), 'example.org')
  t.is(hostOf('/a/b'), '/a/b')
})
