import test from 'ava'
import {
  lockedCommit,
  parseLockfile,
  renderLockfile,
  type Lockfile,
} from '../../../src/core/spec/lockfile.ts'

const commit = 'a'.repeat(40)
const lock: Lockfile = {
  version: 1,
  release: 'mini',
  sources: [{ location: 'https://h/x.git', ref: 'main', commit }],
  patches: [{ name: 'a.patch', sha256: 'b'.repeat(64) }],
  buildroot: { image: 'fwbuild/buildroot:1', id: 'sha256:1' },
}

test('a lock file reads back as it was written, the same bytes each time', (t) => {
  t.deepEqual(parseLockfile(renderLockfile(lock), 'l'), lock)
  t.is(renderLockfile(lock), renderLockfile(parseLockfile(renderLockfile(lock), 'l')))
})

test('a source is pinned by place and ref together', (t) => {
  t.is(lockedCommit(lock, 'https://h/x.git', 'main'), commit)
  t.is(lockedCommit(lock, 'https://h/x.git', 'other'), undefined)
  t.is(lockedCommit(undefined, 'https://h/x.git', 'main'), undefined)
})

for (const [title, text, message] of [
  ['no JSON', '{', /^l is not JSON$/],
  ['an empty file', '', /^l is not JSON$/],
  ['another version', JSON.stringify({ ...lock, version: 2 }), /^l: version: /],
  [
    'no commit id',
    JSON.stringify({ ...lock, sources: [{ location: 'x', ref: 'y', commit: 'main' }] }),
    /^l: sources\.0\.commit: /,
  ],
  ['an unknown key', JSON.stringify({ ...lock, more: 1 }), /^l: .*more/],
  ['null', 'null', /^l: /],
] as const) {
  test(`${title}: refused with a way out`, (t) => {
    const error = t.throws(() => parseLockfile(text, 'l'), { message })
    t.like(error, { exitCode: 2, hint: 'fwbuild lock --update writes a new one' })
  })
}
