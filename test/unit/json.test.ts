import test from 'ava'
import * as fc from 'fast-check'
import { canonicalJson, differences, type Json } from '../../src/core/json.ts'
import { fingerprintOf } from '../../src/core/step-record.ts'

test('equal values give equal bytes, in whatever order their keys were made', (t) => {
  t.is(
    canonicalJson({ b: [2, { z: null, a: true }], a: 'x' }),
    canonicalJson({ a: 'x', b: [2, { a: true, z: null }] }),
  )
  t.is(canonicalJson({ b: 1, a: [] }), '{\n  "a": [],\n  "b": 1\n}\n')
  t.is(canonicalJson(null), 'null\n')
})

test('canonical JSON reads back as the same value', (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const text = JSON.stringify(value)
      t.deepEqual(JSON.parse(canonicalJson(JSON.parse(text) as Json)), JSON.parse(text))
    }),
  )
  t.pass()
})

test('differences name each leaf by its path, also in lists that grew or shrank', (t) => {
  const before = { commit: 'a', files: [{ sha: '1' }, { sha: '2' }], same: true }
  const after = { commit: 'b', files: [{ sha: '1' }], same: true, extra: null }
  t.deepEqual(differences(before, after), [
    { path: 'commit', before: 'a', after: 'b' },
    { path: 'extra', before: undefined, after: null },
    { path: 'files.1', before: { sha: '2' }, after: undefined },
  ])
  t.deepEqual(differences(before, before), [])
  t.deepEqual(differences(undefined, 'x'), [{ path: '', before: undefined, after: 'x' }])
  t.deepEqual(differences({ a: { b: 1 } }, { a: 1 }), [{ path: 'a', before: { b: 1 }, after: 1 }])
})

test('an item more or less in the middle of a list is one difference', (t) => {
  const before = { lines: ['a', 'b', 'd', 'e'] }
  t.deepEqual(differences(before, { lines: ['a', 'b', 'c', 'd', 'e'] }), [
    { path: 'lines.2', before: undefined, after: 'c' },
  ])
  t.deepEqual(differences(before, { lines: ['a', 'd', 'E'] }), [
    { path: 'lines.1', before: 'b', after: undefined },
    { path: 'lines.2', before: 'e', after: 'E' },
  ])
})

test('a list and an object with the same keys differ', (t) => {
  t.is(differences({ a: [] }, { a: {} }).length, 1)
})

test('differences are empty exactly where the fingerprints agree', (t) => {
  const value = fc.jsonValue({ maxDepth: 2 }).map((v) => JSON.parse(JSON.stringify(v)) as Json)
  fc.assert(
    fc.property(value, value, (a, b) => {
      t.is(differences(a, b).length === 0, fingerprintOf(1, a) === fingerprintOf(1, b))
    }),
  )
})

test('the fingerprint is a sha256 that key order does not change', (t) => {
  t.regex(fingerprintOf(1, { a: 1 }), /^[0-9a-f]{64}$/)
  t.is(fingerprintOf(1, { a: 1, b: 2 }), fingerprintOf(1, { b: 2, a: 1 }))
  t.not(fingerprintOf(1, { a: 1 }), fingerprintOf(1, { a: '1' }))
  t.not(fingerprintOf(1, { a: 1 }), fingerprintOf(2, { a: 1 }))
})
