import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import { parseFwbuildFile } from '../../../src/core/spec/fwbuild-file.ts'

test('a whole file is read', (t) => {
  const text = [
    'version: 1',
    'engine: docker',
    'jobs: 4',
    'openwrt:',
    '  hv: [kvm, hyperv]',
    '  rootfsSizeMb: 512',
    '  boot: false',
  ]
  t.deepEqual(parseFwbuildFile(text.join('\n'), 'fwbuild.yaml'), {
    version: 1,
    engine: 'docker',
    jobs: 4,
    openwrt: { hv: ['kvm', 'hyperv'], rootfsSizeMb: 512, boot: false },
  })
})

/** Text of the file, then the start of each message line. */
const bad: readonly (readonly [title: string, text: string, ...messages: RegExp[]])[] = [
  ['an unknown key', 'version: 1\nrelase: mini\n', /^f\.yaml:2:1: unknown key relase$/],
  [
    'an unknown key with a mapping below',
    'version: 1\n\nopenwrtt:\n  hv: [kvm]\n',
    /^f\.yaml:3:1: unknown key openwrtt; was openwrt meant\?$/,
  ],
  ['an unknown key without a value', 'version: 1\nfoo:\n', /^f\.yaml:2:1: unknown key foo$/],
  [
    'a nested unknown key',
    'version: 1\nopenwrt:\n  hvs: [kvm]\n',
    /^f\.yaml:3:3: unknown key hvs; was hv meant\?$/,
  ],
  [
    'a key of the section below',
    'version: 1\nrelease: mini\n',
    /^f\.yaml:2:1: unknown key release; it belongs below openwrt:$/,
  ],
  [
    'two unknown keys',
    'version: 1\na: 1\nb: 2\n',
    /^f\.yaml:2:1: unknown key a$/,
    /^f\.yaml:3:1: unknown key b$/,
  ],
  ['a value of the wrong type', 'version: 1\njobs: many\n', /^f\.yaml:2:7: jobs: /],
  ['a number out of range', 'version: 1\njobs: 0\n', /^f\.yaml:2:7: jobs: /],
  [
    'an unknown member of a list',
    'version: 1\nopenwrt:\n  hv:\n    - kvm\n    - qemu\n',
    /^f\.yaml:5:7: openwrt\.hv\.1: /,
  ],
  [
    'several errors at once',
    'version: 1\njobs: x\nengine: y\n',
    /^f\.yaml:3:9: engine: /,
    /^f\.yaml:2:7: jobs: /,
  ],
  ['no version', 'jobs: 1\n', /^f\.yaml:1:1: version: /],
  ['another version', 'version: 2\n', /^f\.yaml:1:10: version: /],
  ['an empty file', '', /^f\.yaml:1:1: version: /],
  ['a list', '- a\n', /^f\.yaml:1:1: /],
  ['mere text', 'hello\n', /^f\.yaml:1:1: /],
  ['a broken bracket', 'version: 1\nopenwrt: {hv: [kvm\n', /^f\.yaml:3:1: Flow sequence/],
  ['a tab as indentation', 'version: 1\nopenwrt:\n\thv: [kvm]\n', /^f\.yaml:3:1: /],
  ['a key given twice', 'version: 1\njobs: 1\njobs: 2\n', /^f\.yaml:3:1: Map keys must be unique/],
  ['an alias to nothing', 'version: 1\nwork: *none\n', /^f\.yaml:2:7: /],
  ['two documents', 'version: 1\n---\nversion: 1\n', /^f\.yaml:2:1: /],
]

for (const [title, text, ...messages] of bad) {
  test(`${title} is told with line and column`, (t) => {
    const error = t.throws(() => parseFwbuildFile(text, 'f.yaml'), { instanceOf: FwbuildError })
    t.is(error.exitCode, 2)
    const lines = error.message.split('\n')
    for (const message of messages)
      t.true(
        lines.some((line) => message.test(line)),
        error.message,
      )
    t.is(lines.length, messages.length, error.message)
  })
}

test('anchors and aliases work, and cannot blow the reader up', (t) => {
  t.is(parseFwbuildFile('version: 1\nwork: &dir /srv/x\ndl: *dir\n', 'f').dl, '/srv/x')
  const levels = Array.from(
    { length: 9 },
    (_, i) =>
      `a${i}: &a${i} [${Array(9)
        .fill(i === 0 ? 'x' : `*a${i - 1}`)
        .join(', ')}]`,
  )
  const error = t.throws(() => parseFwbuildFile(`version: 1\n${levels.join('\n')}\n`, 'f'), {
    instanceOf: FwbuildError,
  })
  t.is(error.exitCode, 2)
})
