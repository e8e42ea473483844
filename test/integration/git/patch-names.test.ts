import { spawnSync } from 'node:child_process'
import test from 'ava'
import { bytesOf } from '../../../src/core/patch/lines.ts'
import { unsafeName } from '../../../src/core/patch/unsafe-name.ts'
import { needProgram, testWith } from '../../helpers/need.ts'
import { temporaryFolders } from '../../helpers/temporary.ts'

const folder = temporaryFolders()

/** Binary string, as names in patches are. */
const binary = (name: string): string => Buffer.from(name).toString('latin1')

const inserted = [0x200c, 0x200d, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e]
inserted.push(0x206a, 0x206b, 0x206c, 0x206d, 0x206e, 0x206f, 0xfeff)
const plain = ['.git', '.GIT', '.Git', '.gIT.', '.git ', '.git. . .', '.git...', 'git~1', 'GIT~1', 'git~1 .']
plain.push('.git:stream', '.git::$INDEX_ALLOCATION', '.git ::$DATA', 'a\\.git\\b', '.git\\x', 'x\\GIT~1')
const spellings = inserted
  .map((code) => String.fromCodePoint(code))
  .flatMap((mark) => [`.g${mark}it`, `${mark}.git`, `.GIT${mark}`, `.gi${mark}${mark}t`])
  .concat(plain)
const harmless = ['.gitignore', '.gitmodules', 'git', 'git~x', 'x.git', '.git2', '.gitx', 'a.git', '.g it']
harmless.push('ä.c', 'a b', 'q"uote', 'back\\slash', '%s', 'a-rf', '~', '日本', 'x:y', '👩‍💻.txt', 'con')

testWith([needProgram('git')], 'git, told to mind HFS+ and NTFS, refuses the same spellings of .git', (t) => {
  const repository = folder()
  t.is(spawnSync('git', ['init', '-q', repository]).status, 0)
  const blob = spawnSync('git', ['-C', repository, 'hash-object', '-w', '--stdin'], { input: 'x\n' })
  const id = blob.stdout.toString().trim()
  for (const spelling of [...spellings, ...harmless]) {
    for (const name of [spelling, `sub/${spelling}`, `${spelling}/config`]) {
      const settings = ['-c', 'core.protectHFS=true', '-c', 'core.protectNTFS=true']
      const args = ['-C', repository, ...settings, 'update-index', '--add', '--cacheinfo']
      const run = spawnSync('git', [...args, `100644,${id},${name}`])
      // The names stand in each other's way as files and folders.
      spawnSync('git', ['-C', repository, 'read-tree', '--empty'])
      const isRefused = /Invalid path/.test(run.stderr.toString())
      t.is(run.status !== 0, isRefused, run.stderr.toString())
      t.is(unsafeName(binary(name)) !== undefined, isRefused, JSON.stringify(name))
    }
  }
})

test('names that look like others, hide what they are, or that no file system takes are refused', (t) => {
  const reasons: Readonly<Record<string, RegExp>> = {
    'a\nb': /control/,
    'a\tb': /control/,
    'a\x1b[2Jb': /control/,
    'a\x7fb': /control/,
    'a\u0085b': /control/,
    'a\u009b31mb': /control/,
    'a\u2028b': /control/,
    'txt.\u202Ec': /direction/,
    'a\u2066b': /direction/,
    'a\u061Cb': /direction/,
    'a\u200Fb/c': /direction/,
    'a\u200Bb': /seen/,
    'a\u{E0061}b': /seen/,
    'sub/git~7': /\.git/,
    ['x'.repeat(256)]: /longer than 255/,
    [`${'ä'.repeat(128)}/x`]: /longer than 255/,
    [`${'x/'.repeat(2047)}yy`]: /longer than 4095/,
    ['x/'.repeat(128) + 'y']: /folders deep/,
  }
  for (const [name, reason] of Object.entries(reasons)) {
    t.regex(unsafeName(binary(name)) ?? '', reason, JSON.stringify(name.slice(0, 20)))
  }
  t.regex(unsafeName('a\xff') ?? '', /UTF-8/)
  t.is(unsafeName('x'.repeat(255)), undefined)
  t.is(unsafeName(`${'x/'.repeat(127)}y`), undefined)
  for (const name of harmless) t.is(unsafeName(bytesOf(binary(name)).toString('latin1')), undefined, name)
})
