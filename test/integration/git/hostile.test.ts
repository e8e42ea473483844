import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { feedProblem, parseFeedsConf } from '../../../src/core/openwrt/feeds-conf.ts'
import { isPathWord, pathWord } from '../../../src/core/path-word.ts'
import { isRefName, parseSourceReference } from '../../../src/core/spec/source-reference.ts'
import { fetchSource, resolveSource } from '../../../src/effects/git-mirror.ts'
import { checkOut, worktreeIsAt } from '../../../src/effects/git-worktree.ts'
import { cli } from '../../helpers/cli.ts'
import { commit, newRepository } from '../../helpers/git-repository.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

const { signal } = new AbortController()
const isRoot = process.getuid?.() === 0
const builder = isRoot
  ? { uid: 61_000, gid: 61_000 }
  : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

/** A store with a commit that is checked out, and a program that must never run. */
async function bench(t: ExecutionContext) {
  const home = await temporaryDirectory(t)
  const source = join(home, 'source')
  newRepository(source)
  const first = commit(source, 'first', { '.gitignore': '/build_dir\n', a: '1\n', 'dir/b': 'b\n' })
  const store = { gitDir: join(home, 'git'), signal, offline: false }
  await fetchSource({ location: source, ref: 'main', commit: first, notes: [] }, store)
  const worktree = { gitDir: store.gitDir, path: join(home, 'trees/x'), user: builder, signal }
  await checkOut(worktree, first)
  const ran = join(home, 'ran')
  const program = join(home, 'program')
  writeFileSync(program, `#!/bin/sh\necho "$0 $*" >> ${ran}\n`)
  chmodSync(program, 0o755)
  return { home, source, first, store, worktree, ran, program }
}

/** Every setting of git-config(1) that names a program which status, checkout, clean, fetch or log could run. */
const programSettings = (program: string): string =>
  [
    `[core]\n\tfsmonitor = ${program}\n\thooksPath = ${program}.d\n\tsshCommand = ${program}\n\tpager = ${program}`,
    `\teditor = ${program}\n\taskPass = ${program}\n\tgitProxy = ${program}\n\talternateRefsCommand = ${program}`,
    `[diff]\n\texternal = ${program}\n[filter "x"]\n\tclean = ${program}\n\tsmudge = ${program}\n\tprocess = ${program}`,
    `[diff "x"]\n\ttextconv = ${program}\n\tcommand = ${program}\n[merge "x"]\n\tdriver = ${program}`,
    `[gpg]\n\tprogram = ${program}\n[credential]\n\thelper = ${program}\n[uploadpack]\n\tpackObjectsHook = ${program}`,
    `[alias]\n\tstatus = !${program}\n[include]\n\tpath = ${program}.config\n[sequence]\n\teditor = ${program}`,
    '',
  ].join('\n')

const hostileGits: Readonly<Record<string, (tree: string, program: string, home: string) => void>> = {
  'a repository with programs in its settings': (tree, program) => {
    newRepository(tree)
    writeFileSync(join(tree, '.git/config'), programSettings(program), { flag: 'a' })
    mkdirSync(join(tree, '.git/hooks'), { recursive: true })
    for (const hook of ['post-checkout', 'post-index-change', 'pre-auto-gc', 'reference-transaction'])
      symlinkSync(program, join(tree, '.git/hooks', hook))
  },
  'a pointer to a repository elsewhere': (tree, program, home) => {
    const evil = join(home, 'evil')
    newRepository(evil)
    writeFileSync(join(evil, '.git/config'), programSettings(program), { flag: 'a' })
    writeFileSync(join(tree, '.git'), `gitdir: ${evil}/.git\n`)
  },
  'a link to a repository elsewhere': (tree, program, home) => {
    const evil = join(home, 'evil')
    newRepository(evil)
    writeFileSync(join(evil, '.git/config'), programSettings(program), { flag: 'a' })
    symlinkSync(join(evil, '.git'), join(tree, '.git'))
  },
  'a common folder elsewhere': (tree, program) => {
    mkdirSync(join(tree, '.git'))
    writeFileSync(join(tree, '.git/HEAD'), 'ref: refs/heads/main\n')
    writeFileSync(join(tree, '.git/commondir'), '../evil\n')
    writeFileSync(join(tree, '.git/config'), programSettings(program))
  },
  'an endless file': (tree) => symlinkSync('/dev/zero', join(tree, '.git')),
  'a loop': (tree) => symlinkSync('.git', join(tree, '.git')),
  'a pointer that is too long': (tree) =>
    writeFileSync(join(tree, '.git'), `gitdir: ${'x'.repeat(100_000)}\n`),
  'nothing at all': () => {},
  'FIFOs that git reads by name': (tree) => {
    for (const name of ['dir/.gitattributes', 'dir/.gitignore', '.gitmodules'])
      execFileSync('mkfifo', [join(tree, name)])
  },
  'a repository inside': (tree, program) => {
    newRepository(join(tree, 'dir/inner'))
    writeFileSync(join(tree, 'dir/inner/.git/config'), programSettings(program), { flag: 'a' })
  },
}

for (const [what, plant] of Object.entries(hostileGits)) {
  test(`the tree's own git is believed: ${what} is put right, and no program runs`, async (t) => {
    const { home, first, worktree, ran, program } = await bench(t)
    const pointer = readFileSync(join(worktree.path, '.git'), 'utf8')
    rmSync(join(worktree.path, '.git'))
    plant(worktree.path, program, home)
    writeFileSync(join(worktree.path, '.gitattributes'), '* filter=x diff=x merge=x\n')
    t.false(await worktreeIsAt(worktree, first))
    await checkOut(worktree, first)
    t.true(await worktreeIsAt(worktree, first))
    t.is(readFileSync(join(worktree.path, '.git'), 'utf8'), pointer)
    t.is(readFileSync(join(worktree.path, 'a'), 'utf8'), '1\n')
    t.false(existsSync(join(worktree.path, '.gitattributes')))
    t.false(existsSync(ran), existsSync(ran) ? readFileSync(ran, 'utf8') : '')
  })
}

// Serial: it changes the environment of the whole process.
test.serial(
  "the tree's own git is believed: attributes and modules that it tracks run nothing, also with the caller's filters",
  async (t) => {
    const { home, source, store, worktree, ran, program } = await bench(t)
    const evil = commit(source, 'evil', {
      '.gitattributes': '* filter=x diff=x merge=x\n*.txt working-tree-encoding=ISO-8859-1 ident\n',
      '.gitmodules': `[submodule "../../x"]\n\tpath = sub\n\turl = ext::${program}\n\tupdate = !${program}\n`,
      'c.txt': 'text\n',
    })
    await fetchSource({ location: source, ref: 'main', commit: evil, notes: [] }, store)
    writeFileSync(join(home, '.gitconfig'), programSettings(program))
    const before = process.env['HOME']
    process.env['HOME'] = home
    try {
      await checkOut(worktree, evil)
      utimesSync(join(worktree.path, 'a'), 1, 1)
      t.true(await worktreeIsAt(worktree, evil))
    } finally {
      process.env['HOME'] = before
    }
    t.false(existsSync(ran), existsSync(ran) ? readFileSync(ran, 'utf8') : '')
  },
)

test("the tree's own git is believed: a source of the user's own is read without its programs", async (t) => {
  const { source, store, ran, program } = await bench(t)
  commit(source, 'more', { z: 'z' })
  const settings = programSettings(program).replace(/\[include\]\n.*\n/, '')
  writeFileSync(join(source, '.git/config'), settings, { flag: 'a' })
  await fetchSource(await resolveSource(source, 'main', store), store)
  t.false(existsSync(ran), existsSync(ran) ? readFileSync(ran, 'utf8') : '')
})

const asRoot = isRoot ? test : test.skip

asRoot(
  "the tree's own git is believed: a source of another owner is refused, with the way out",
  async (t) => {
    const { home, source, ran, program } = await bench(t)
    writeFileSync(join(source, '.git/config'), programSettings(program), { flag: 'a' })
    for (const path of [source, join(source, '.git')]) chownSync(path, 4321, 4321)
    const { exitCode, stderr } = await cli(
      [
        'openwrt',
        '--release',
        '22.03',
        '--source',
        source,
        '--engine',
        'host',
        '--work',
        'w',
        '--until',
        'source',
      ],
      { cwd: home, env: { PATH: process.env['PATH'], HOME: home } },
    )
    t.is(exitCode, 2, stderr)
    t.regex(stderr, /belongs to another user.*\[E_SOURCE_OWNER\]\n.*safe\.directory/)
    t.false(existsSync(ran))
  },
)

test('a commit change keeps the times of unchanged files, also where root gives the tree away', async (t) => {
  const { source, store, worktree } = await bench(t)
  const many = Object.fromEntries(
    Array.from({ length: 2000 }, (_, at) => [`many/${at % 50}/${at}`, `${at}\n`]),
  )
  const second = commit(source, 'second', many)
  await fetchSource({ location: source, ref: 'main', commit: second, notes: [] }, store)
  await checkOut(worktree, second)
  const stamp = (name: string) => {
    const { mtimeMs, uid } = lstatSync(join(worktree.path, name))
    return { mtimeMs, uid }
  }
  const names = ['a', 'dir/b', 'many/7/7', 'many/49/1999', '.gitignore']
  const before = names.map(stamp)
  t.true(before.every(({ uid }) => uid === builder.uid))
  const third = commit(source, 'third', { 'many/0/0': 'changed\n' })
  await fetchSource({ location: source, ref: 'main', commit: third, notes: [] }, store)
  await checkOut(worktree, third)
  t.deepEqual(names.map(stamp), before)
  t.is(readFileSync(join(worktree.path, 'many/0/0'), 'utf8'), 'changed\n')
  t.is(stamp('many/0/0').uid, builder.uid)
})

test('a tracked file that a build changed, with its size and time put back, is put right', async (t) => {
  const { first, worktree } = await bench(t)
  const file = join(worktree.path, 'a')
  const { mtime, atime } = statSync(file)
  // Debian's git looks at whole seconds of ctime, which nobody can put back.
  await sleep(1100)
  writeFileSync(file, '2\n')
  utimesSync(file, atime, mtime)
  t.false(await worktreeIsAt(worktree, first))
  await checkOut(worktree, first)
  t.is(readFileSync(file, 'utf8'), '1\n')
})

const badRefs = [
  '',
  '-x',
  '--upload-pack=touch x',
  '..',
  'a..b',
  '/a',
  'a/',
  'a//b',
  'a.lock',
  'x.lock/y',
  '.a',
  'a/.b',
  'a.',
  '@',
  'a@{1}',
  'a b',
  'a\tb',
  'a\nb',
  'a\u007Fb',
  'a~1',
  'a^',
  'a:b',
  'a?',
  'a*',
  'a[',
  'a\\b',
  'x'.repeat(4000),
  '\u0000',
]
for (const ref of badRefs) {
  test(`names from the tree: no ref: ${JSON.stringify(ref.slice(0, 40))}`, (t) => {
    t.false(isRefName(ref))
    t.throws(() => parseSourceReference(`https://h/x.git#${ref}`), { code: 'E_SOURCE_SYNTAX' })
  })
}

test('names from the tree: refs that git allows are allowed', (t) => {
  for (const ref of [
    'main',
    'openwrt-22.03',
    'refs/pull/1026/head',
    'v1.0',
    'feature/ä',
    'a@b',
    '0123abc',
    'HEAD',
  ])
    t.true(isRefName(ref), ref)
})

const badWords = [
  '',
  '.',
  '..',
  '../x',
  '/etc',
  'a/b',
  '-rf',
  '.hidden',
  '~root',
  'a b',
  'a\tb',
  'a\nb',
  'a\0b',
  'a;b',
  '$(x)',
  '`x`',
  'a|b',
  'a&b',
  'a>b',
  '*',
  'a?',
  "a'b",
  'a"b',
  'a\\b',
  'ä',
  '\u202Egnp',
  '\u200B',
  'CON:',
  'x'.repeat(201),
  '%2e%2e/',
  '+x',
  '@x',
  '=x',
]
for (const word of badWords) {
  test(`names from the tree: no part of a path: ${JSON.stringify(word.slice(0, 40))}`, (t) => {
    t.false(isPathWord(word))
    t.throws(() => pathWord('the version', word), { code: 'E_FOREIGN_NAME' })
  })
}

const badFeeds = [
  ['src-git ../../../etc https://h/x.git', /no feed name/],
  ['src-git .. https://h/x.git', /no feed name/],
  ['src-git /abs https://h/x.git', /no feed name/],
  ['src-git .git https://h/x.git', /no feed name/],
  ['src-git a\u202Eb https://h/x.git', /no feed name/],
  ['src-git packages https://h/y.git', /another feed of that name/],
  ['src-git x https://h/x.git;--upload-pack=x', /no ref/],
  ['src-git x https://h/x.git^..', /no ref/],
  ['src-git x ext::sh', /neither a URL nor an absolute path/],
  ['src-git x fd::3', /neither a URL nor an absolute path/],
  ['src-git x ../../root/x', /neither a URL nor an absolute path/],
  ['src-git x -oProxyCommand=x', /neither a URL nor an absolute path/],
  ['src-git x file:///root/private', /neither a URL nor an absolute path/],
  ['src-git x /root/private', /lies on this machine/],
] as const
for (const [line, why] of badFeeds) {
  test(`names from the tree: a feed that is left out: ${JSON.stringify(line)}`, (t) => {
    const [feed] = parseFeedsConf(line)
    if (feed === undefined) return t.fail()
    t.regex(feedProblem(feed, { taken: new Set(['packages']), local: false }) ?? '', why)
  })
}

test('names from the tree: feeds of real releases are taken', (t) => {
  for (const line of [
    'src-git packages https://git.openwrt.org/feed/packages.git',
    'src-git-full luci https://git.openwrt.org/project/luci.git;openwrt-22.03',
    'src-git --root=feeds routing https://git.openwrt.org/feed/routing.git^0123456789012345678901234567890123456789',
    'src-git own git@example.org:me/feed.git',
  ]) {
    const [feed] = parseFeedsConf(line)
    t.is(feed && feedProblem(feed, { taken: new Set(), local: false }), undefined, line)
  }
})
