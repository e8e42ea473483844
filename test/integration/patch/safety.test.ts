import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { join, resolve } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { cli, type CliResult } from '../../helpers/cli.ts'
import { type Need, needProgram, testWith } from '../../helpers/need.ts'
import { temporaryFolders } from '../../helpers/temporary.ts'

const folder = temporaryFolders()

/** Names, kinds, modes and contents below a directory, links not followed. */
function digest(root: string): string {
  const hash = createHash('sha256')
  for (const name of fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const file = join(root, name)
    const stats = fs.lstatSync(file)
    const content = stats.isFile()
      ? fs.readFileSync(file)
      : stats.isSymbolicLink()
        ? fs.readlinkSync(file)
        : ''
    hash.update(`${name} ${stats.mode} ${stats.ino} `).update(content)
  }
  return hash.digest('hex')
}

/** A tree beside a secret that no patch for the tree may touch. */
function sandbox(): { readonly box: string; readonly tree: string } {
  const box = folder()
  const tree = join(box, 'tree')
  fs.mkdirSync(join(tree, 'sub'), { recursive: true })
  fs.mkdirSync(join(tree, '.git'))
  fs.mkdirSync(join(box, 'outside'))
  fs.writeFileSync(join(box, 'outside/f'), 'one\n')
  fs.writeFileSync(join(tree, 'f'), 'one\ntwo\nthree\n')
  fs.writeFileSync(join(tree, 'sub/g'), 'one\n')
  fs.writeFileSync(join(tree, '.git/config'), 'one\n')
  fs.symlinkSync('../outside', join(tree, 'link'))
  fs.symlinkSync('../outside/f', join(tree, 'leaf'))
  fs.symlinkSync('/dev/null', join(tree, 'null'))
  return { box, tree }
}

const modify = (name: string): string => `--- a/${name}\n+++ b/${name}\n@@ -1 +1 @@\n-one\n+evil\n`
const create = (name: string): string => `--- /dev/null\n+++ b/${name}\n@@ -0,0 +1 @@\n+evil\n`
const fine = '--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n'

const unsafe: Readonly<Record<string, readonly [string, RegExp]>> = {
  'a name with ..': [modify('../outside/f'), /leaves the tree/],
  'a new file with ..': [create('sub/../../outside/new'), /leaves the tree/],
  'an absolute name': ['--- /etc/f\n+++ /etc/f\n@@ -1 +1 @@\n-one\n+evil\n', /absolute/],
  'a file behind a symbolic link': [modify('link/f'), /symbolic link/],
  'a new file behind a symbolic link': [create('link/new'), /symbolic link/],
  'a symbolic link as a file': [modify('leaf'), /symbolic link/],
  'a new file in the place of a link': [create('null'), /exists already/],
  'a .git directory': [modify('.git/config'), /\.git/],
  'a .git directory in capitals': [create('sub/.GIT/hooks/post-checkout'), /\.git/],
  'a rename out of the tree': [
    'diff --git a/f b/../g\nsimilarity index 100%\nrename from f\nrename to ../g\n',
    /leaves the tree/,
  ],
  'a new link out of the tree': [
    'diff --git a/out b/out\nnew file mode 120000\n--- /dev/null\n+++ b/out\n@@ -0,0 +1 @@\n+../outside\n\\ No newline at end of file\n',
    /leaves the tree/,
  ],
  'a link and then a file behind it': [
    `diff --git a/in b/in\nnew file mode 120000\n--- /dev/null\n+++ b/in\n@@ -0,0 +1 @@\n+sub\n\\ No newline at end of file\n${create('in/new')}`,
    /symbolic link/,
  ],
  'a setuid mode': [
    'diff --git a/s b/s\nnew file mode 104755\n--- /dev/null\n+++ b/s\n@@ -0,0 +1 @@\n+evil\n',
    /mode/,
  ],
  'a directory as a file': [modify('sub'), /not a regular file/],
  'a file as a directory': [create('f/new'), /not a directory/],
  'a line of a megabyte and more': [
    `--- a/f\n+++ b/f\n@@ -1 +1 @@\n-one\n+${'x'.repeat(1_100_000)}\n`,
    /a line of 11\d+ bytes/,
  ],
  'a NUL byte': [`--- a/f\n+++ b/f\n@@ -1 +1 @@\n-one\n+a\0b\n`, /NUL/],
  'gigantic counts': ['--- a/f\n+++ b/f\n@@ -1,99999999999 +1,99999999999 @@\n one\n', /claims/],
  'counts that do not fit': ['--- a/f\n+++ b/f\n@@ -1,9 +1,9 @@\n one\n-two\n+2\n', /ends inside a hunk/],
  'overlapping hunks': [`${fine}@@ -1,3 +1,3 @@\n one\n-two\n+zwei\n three\n`, /overlap/],
  'a binary patch': [
    'diff --git a/f b/f\nindex 1234567..89abcde 100644\nGIT binary patch\nliteral 4\nLcmZQzWMT#Y01f~L\n\n',
    /binary/,
  ],
  'a combined diff': ['diff --cc f\n--- a/f\n+++ b/f\n@@@ -1,1 -1,1 +1,1 @@@\n--one\n++evil\n', /combined/],
}

for (const [title, [patch, reason]] of Object.entries(unsafe)) {
  test(`refused, and nothing changes: ${title}`, async (t) => {
    const { box, tree } = sandbox()
    const before = digest(box)
    // A good part ahead of it must not be applied either.
    for (const input of [
      patch,
      `${fine
        .replaceAll('/f', '/sub/g')
        .replace(',3 +1,3', ' +1')
        .replace(/ one\n-two\n\+2\n three\n/, '-one\n+1\n')}${patch}`,
    ]) {
      for (const flags of [[], ['--best-effort']]) {
        const result = await cli(['patch', 'apply', '--tree', tree, ...flags, '-'], { input })
        t.is(result.exitCode, 1, result.stderr)
        t.regex(result.stdout, reason)
        t.is(digest(box), before)
      }
    }
  })
}

test('a device file is not touched', async (t) => {
  const { box, tree } = sandbox()
  t.is(spawnSync('mkfifo', [join(tree, 'pipe')]).status, 0)
  const before = digest(box)
  const result = await cli(['patch', 'apply', '--tree', tree, '-'], { input: modify('pipe') })
  t.is(result.exitCode, 1)
  t.regex(result.stdout, /not a regular file/)
  t.is(digest(box), before)
})

test('the second patch of a series is refused: the first is not applied either', async (t) => {
  const { box, tree } = sandbox()
  const patches = folder()
  fs.writeFileSync(join(patches, '1.patch'), fine)
  fs.writeFileSync(join(patches, '2.patch'), modify('link/f'))
  const before = digest(box)
  const rejects = join(folder(), 'rejects')
  const result = await cli(['patch', 'apply', '--tree', tree, '--reject-to', rejects, patches])
  t.is(result.exitCode, 1)
  t.is(digest(box), before)
  t.deepEqual(fs.readdirSync(rejects), ['2.patch.rej'])
})

test('bad usage is 2', async (t) => {
  const { tree } = sandbox()
  const run = (...args: string[]): Promise<CliResult> => cli(['patch', ...args], { input: fine })
  t.is((await run('apply', '--tree', join(tree, 'none'), '-')).exitCode, 2)
  t.is((await run('apply', '--tree', join(tree, 'f'), '-')).exitCode, 2)
  t.is((await run('apply', '-p', '-1', '-')).exitCode, 2)
  t.is((await run('apply')).exitCode, 2)
  t.is((await run('apply', join(tree, 'none.patch'))).exitCode, 2)
  t.is((await run('apply', '--tree', tree, join(tree, 'f'))).exitCode, 2)
  t.is((await run('apply', '--tree', tree, '-R', '--rewrite-to', folder(), '-')).exitCode, 2)
  t.is((await run('edit', '--drop-lines', '(', '-')).exitCode, 2)
})

test('an edit that is refused says in which patch, file, hunk and line', async (t) => {
  const input = '--- a/f.c\n+++ b/f.c\n@@ -7,2 +7,5 @@\n a;\n+\tx =\n+\t\tMATCH;\n+\tgo();\n b;\n'
  const { exitCode, stdout, stderr } = await cli(['patch', 'edit', '--drop-lines', 'MATCH', '-'], { input })
  t.deepEqual([exitCode, stdout], [1, ''])
  t.regex(stderr, /stdin: b\/f\.c:9, hunk 1: "MATCH;" cannot be dropped: /)
})

test('modes stay, executable bits follow the patch, emptied directories go', async (t) => {
  const { tree } = sandbox()
  fs.chmodSync(join(tree, 'f'), 0o640)
  const patch = `diff --git a/f b/f\nold mode 100644\nnew mode 100755\n${fine}diff --git a/sub/g b/sub/g\ndeleted file mode 100644\n--- a/sub/g\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n`
  t.is((await cli(['patch', 'apply', '--tree', tree, '-'], { input: patch })).exitCode, 0)
  t.is(fs.statSync(join(tree, 'f')).mode & 0o777, 0o750)
  t.false(fs.existsSync(join(tree, 'sub')))
  t.is((await cli(['patch', 'apply', '-R', '--tree', tree, '-'], { input: patch })).exitCode, 0)
  t.is(fs.statSync(join(tree, 'f')).mode & 0o777, 0o640)
  t.is(fs.readFileSync(join(tree, 'sub/g'), 'utf8'), 'one\n')
})

test('a file that makes room for a directory of its name', async (t) => {
  const { tree } = sandbox()
  const patch = `--- a/sub/g\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n${create('sub/g/h')}`
  t.is((await cli(['patch', 'apply', '--tree', tree, '-'], { input: patch })).exitCode, 0)
  t.is(fs.readFileSync(join(tree, 'sub/g/h'), 'utf8'), 'evil\n')
})

const needRoot: Need = { name: 'root, to become another user', present: process.getuid?.() === 0 }

/** Runs the command line as a user to whom permissions apply. */
async function asNobody(args: readonly string[], input: string): Promise<CliResult> {
  const child = spawn(process.execPath, [resolve('dist/src/cli.js'), ...args], { uid: 65534, gid: 65534 })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => void (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => void (stderr += chunk.toString()))
  child.stdin.end(input)
  const exitCode = await new Promise<number>((done) => child.on('close', (code) => done(code ?? -1)))
  return { exitCode, stdout, stderr }
}

async function failsUnchanged(
  t: ExecutionContext,
  box: string,
  tree: string,
  patch: string,
): Promise<string> {
  const before = digest(box)
  const result = await asNobody(['patch', 'apply', '--tree', tree, '-'], patch)
  t.is(result.exitCode, 3, result.stderr)
  t.is(digest(box), before)
  return result.stderr
}

testWith(
  [needRoot],
  'a read-only tree and an unreadable file are infra errors, nothing changes',
  async (t) => {
    const { box, tree } = sandbox()
    fs.chmodSync(box, 0o755)
    t.regex(await failsUnchanged(t, box, tree, fine), /EACCES|permission/)
    // The first file can be written, the second can not: the first is put back.
    spawnSync('chown', ['-R', '65534:65534', tree])
    spawnSync('chown', ['-R', '0:0', join(tree, 'sub')])
    t.regex(await failsUnchanged(t, box, tree, fine + modify('sub/g')), /nothing was changed/)
    fs.chmodSync(join(tree, 'sub/g'), 0)
    t.regex(await failsUnchanged(t, box, tree, fine + modify('sub/g')), /sub\/g cannot be read/)
  },
)

const needTmpfs: Need = {
  name: 'the right to mount',
  present: process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0,
}

testWith([needTmpfs, needProgram('unshare')], 'a full disk is an infra error, nothing changes', async (t) => {
  const tree = folder()
  t.is(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', tree]).status, 0)
  try {
    fs.writeFileSync(join(tree, 'f'), 'one\ntwo\nthree\n')
    const before = digest(tree)
    const big = `--- /dev/null\n+++ b/big\n@@ -0,0 +1,9000 @@\n${'+some line of text\n'.repeat(9000)}`
    const result = await cli(['patch', 'apply', '--tree', tree, '-'], { input: fine + big })
    t.is(result.exitCode, 3)
    t.regex(result.stderr, /no space left/)
    t.is(digest(tree), before)
  } finally {
    spawnSync('umount', [tree])
  }
})

testWith(
  [needTmpfs, needProgram('unshare')],
  'a disk that is full at whatever moment: all old or all new, nothing left',
  async (t) => {
    const tree = folder()
    const codes = new Set<number>()
    for (let pages = 3; pages < 30; pages += 1) {
      const options = ['-t', 'tmpfs', '-o', `size=${pages * 4}k,nr_inodes=${pages * 2}`, 'tmpfs', tree]
      t.is(spawnSync('mount', options).status, 0)
      try {
        fs.writeFileSync(join(tree, 'f'), 'one\ntwo\nthree\n')
        const before = digest(tree)
        const made = Array.from({ length: 12 }, (_, at) => create(`d${at}/new`)).join('')
        const { exitCode, stderr } = await cli(['patch', 'apply', '--tree', tree, '-'], {
          input: fine + made,
        })
        codes.add(exitCode)
        if (exitCode === 0) t.is(fs.readdirSync(tree).length, 13)
        else {
          t.is(exitCode, 3)
          t.regex(stderr, /no space left/)
          t.is(digest(tree), before)
        }
      } finally {
        spawnSync('umount', [tree])
      }
    }
    t.deepEqual(codes, new Set([3, 0]))
  },
)

test('files of another user keep their owner, hard links to the old content stay apart', async (t) => {
  const { box, tree } = sandbox()
  fs.linkSync(join(tree, 'f'), join(box, 'other-name'))
  const isRoot = process.getuid?.() === 0
  if (isRoot) fs.chownSync(join(tree, 'f'), 1234, 1234)
  t.is((await cli(['patch', 'apply', '--tree', tree, '-'], { input: fine })).exitCode, 0)
  t.is(fs.readFileSync(join(box, 'other-name'), 'utf8'), 'one\ntwo\nthree\n')
  if (isRoot) t.is(fs.statSync(join(tree, 'f')).uid, 1234)
})
