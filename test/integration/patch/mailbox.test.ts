import * as fs from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { cli } from '../../helpers/cli.ts'
import { gitBytes } from '../../helpers/git-mail.ts'
import { needProgram, testWith } from '../../helpers/need.ts'
import { temporaryFolders } from '../../helpers/temporary.ts'

const folder = temporaryFolders()

function git(cwd: string, ...args: readonly string[]): string {
  const run = gitBytes(cwd, args)
  if (run.status !== 0) throw new Error(`git ${args.join(' ')}: ${run.stderr}`)
  return run.stdout
}

/** Every file of a tree with its content and executable bit, but for git's own. */
function treeOf(root: string): Record<string, string> {
  const names = fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()
  return Object.fromEntries(
    names
      .filter((name) => name !== '.git' && !name.startsWith('.git/'))
      .map((name) => [name, fs.lstatSync(join(root, name))] as const)
      .filter(([, stats]) => stats.isFile())
      .map(([name, stats]) => [name, `${stats.mode & 0o100} ${fs.readFileSync(join(root, name), 'latin1')}`]),
  )
}

const lines = (word: string, count: number): string =>
  Array.from({ length: count }, (_, at) => `${word} ${at}\n`).join('')

type Commit = (tree: string) => void

/** A repository with a base and one commit for each step: the base's files, the mails, and the result. */
function history(base: Readonly<Record<string, string>>, steps: readonly Commit[]) {
  const [tree, plain] = [folder(), folder()]
  git(tree, 'init', '-q')
  for (const [name, text] of Object.entries(base)) {
    for (const root of [tree, plain]) {
      fs.mkdirSync(join(root, name, '..'), { recursive: true })
      fs.writeFileSync(join(root, name), text)
    }
  }
  const commit = (what: string): void => {
    git(tree, 'add', '-A')
    git(tree, 'commit', '-q', '--allow-empty', '-m', what)
  }
  commit('base')
  for (const [at, step] of steps.entries()) {
    step(tree)
    commit(`step ${at + 1}`)
  }
  return { tree, plain, mails: git(tree, 'format-patch', '--stdout', '-M', `-${steps.length}`) }
}

const move =
  (from: string, to: string): Commit =>
  (tree) => {
    fs.mkdirSync(join(tree, to, '..'), { recursive: true })
    fs.renameSync(join(tree, from), join(tree, to))
  }
const write =
  (name: string, text: string): Commit =>
  (tree) => {
    fs.mkdirSync(join(tree, name, '..'), { recursive: true })
    fs.writeFileSync(join(tree, name), text)
  }
const remove =
  (name: string): Commit =>
  (tree) =>
    fs.rmSync(join(tree, name))

const base = { 'src/a.txt': lines('a', 9), 'src/gone.txt': 'alpha\nbeta\n' }

const histories: Readonly<Record<string, readonly Commit[]>> = {
  'moved, then deleted': [
    write('src/new.c', lines('new', 9)),
    move('src/new.c', 'lib/moved.c'),
    write('lib/moved.c', lines('new', 9).replace('new 4', 'NEW 4')),
    remove('lib/moved.c'),
    remove('src/gone.txt'),
  ],
  'moved twice and kept': [
    write('one/new.c', lines('new', 9)),
    move('one/new.c', 'two/new.c'),
    move('two/new.c', 'three/new name.c'),
    write('src/a.txt', lines('a', 9).replace('a 3', 'A 3')),
  ],
  'its folder replaced by a file': [
    write('lib/inner.c', lines('inner', 5)),
    remove('lib/inner.c'),
    write('other.c', lines('lib', 5)),
    move('other.c', 'third.c'),
  ],
  'created and deleted, and nothing else': [write('src/b.c', lines('b', 5)), remove('src/b.c')],
}

async function sameAsGit(
  t: ExecutionContext,
  { tree, plain, mails }: ReturnType<typeof history>,
): Promise<void> {
  const before = treeOf(plain)
  const box = join(folder(), 'series.mbox')
  fs.writeFileSync(box, mails, 'latin1')
  const rewritten = folder()
  const run = await cli(['patch', 'apply', '--tree', plain, '--rewrite-to', rewritten, box])
  t.is(run.exitCode, 0, run.stderr)
  t.deepEqual(treeOf(plain), treeOf(tree))
  const again = fs.readFileSync(join(rewritten, 'series.mbox'), 'latin1')
  t.is(again, mails, 'a patch that fits exactly is rewritten as it is')
  const back = await cli(['patch', 'apply', '-R', '--tree', plain, box])
  t.is(back.exitCode, 0, back.stderr)
  t.deepEqual(treeOf(plain), before)
}

for (const [title, steps] of Object.entries(histories)) {
  testWith(
    [needProgram('git')],
    `a mailbox in which a file is made, then ${title}: as git am has it`,
    async (t) => {
      await sameAsGit(t, history(base, steps))
    },
  )
}

test('a series of patch files in which one makes a file and the next deletes it', async (t) => {
  const [tree, patches] = [folder(), folder()]
  fs.writeFileSync(join(tree, 'kept'), 'kept\n')
  const make = '--- /dev/null\n+++ b/dir/new\n@@ -0,0 +1 @@\n+line\n'
  const unmake = '--- a/dir/new\n+++ /dev/null\n@@ -1 +0,0 @@\n-line\n'
  fs.writeFileSync(join(patches, '1.patch'), make)
  fs.writeFileSync(join(patches, '2.patch'), unmake)
  const run = await cli(['patch', 'apply', '--json', '--tree', tree, patches])
  t.is(run.exitCode, 0, run.stderr)
  t.like(JSON.parse(run.stdout), { status: 'applied', changed: [] })
  t.deepEqual(fs.readdirSync(tree), ['kept'])
})

test('a quilt series may be called series.mbox, too: what is in it counts', async (t) => {
  const [tree, patches] = [folder(), folder()]
  fs.writeFileSync(join(patches, 'new.patch'), '--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+line\n')
  fs.writeFileSync(join(patches, 'series.mbox'), '# ours\nnew.patch -p1\n')
  t.is((await cli(['patch', 'apply', '--tree', tree, join(patches, 'series.mbox')])).exitCode, 0)
  t.is(fs.readFileSync(join(tree, 'new'), 'utf8'), 'line\n')
})

testWith(
  [needProgram('git')],
  'names that end in a blank: changed, created, moved and deleted as git has it',
  async (t) => {
    const odd = { 'end ': lines('end', 9), 'dir /in ': lines('in', 9), 'mode ': 'mode\n' }
    await sameAsGit(
      t,
      history(odd, [
        write('end ', lines('end', 9).replace('end 4', 'END 4')),
        move('dir /in ', 'dir /out  '),
        write('dir /out  ', lines('in', 9).replace('in 4', 'IN 4')),
        (tree) => fs.chmodSync(join(tree, 'mode '), 0o755),
        write('new ', 'new\n'),
        remove('end '),
      ]),
    )
  },
)
