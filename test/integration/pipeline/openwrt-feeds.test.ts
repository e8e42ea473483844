import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { fakeBuild } from '../../helpers/fake-openwrt.ts'
import { commit, newRepository } from '../../helpers/git-repository.ts'
import { outcomesOf } from '../../helpers/outcomes.ts'

/** Nothing listens there. */
const nowhere = 'http://127.0.0.1:9'
const hash = '0123456789012345678901234567890123456789'

test('feeds pinned by commit: one that is out of reach is left out with a warning, offline too', async (t) => {
  const fake = await fakeBuild(t)
  commit(fake.source, 'feeds', { 'feeds.conf.default': `src-git far ${nowhere}/far.git^${hash}\n` })
  for (const args of [[], ['--offline']]) {
    const built = await fake.build(['--until', 'configure', ...args])
    t.is(built.exitCode, 0, built.stderr)
    t.regex(built.stderr, /warning: feed far is left out: 127\.0\.0\.1.* could not be reached/)
  }
})

test('names from the tree become host paths: a feed that leads out of its folder is left out, nothing is touched', async (t) => {
  const fake = await fakeBuild(t)
  const feed = join(fake.home, 'feed')
  newRepository(feed)
  commit(feed, 'feed', { 'x/Makefile': '# planted\n' })
  const precious = join(fake.home, 'precious')
  newRepository(precious)
  const head = commit(precious, 'mine', { letter: 'dear\n' })
  commit(fake.source, 'feeds', {
    'feeds.conf.default': `src-git ../../../precious ${feed}\nsrc-git x file://${feed}\nsrc-git good ${feed}\n`,
  })
  const built = await fake.build(['--until', 'feeds'])
  t.is(built.exitCode, 0, built.stderr)
  t.regex(built.stderr, /feed \.\.\/\.\.\/\.\.\/precious is left out: .* is no feed name/)
  t.regex(built.stderr, /feed x is left out: ‘file:.*’ is neither a URL nor an absolute path/)
  t.regex(built.stderr, /Feeds done .*: fwbuild, good; without/)
  t.is(await readFile(join(precious, 'letter'), 'utf8'), 'dear\n')
  t.is((await readFile(join(precious, '.git/refs/heads/main'), 'utf8')).trim(), head)
})

test('a commit elsewhere in the tree does not make the feeds again, one in its packages does', async (t) => {
  const fake = await fakeBuild(t)
  const feeds = async (): Promise<string | undefined> => {
    const built = await fake.build(['--until', 'configure', '--json'])
    t.is(built.exitCode, 0, built.stderr)
    return outcomesOf(built.stderr).find((outcome) => outcome.startsWith('feeds: '))
  }
  t.is(await feeds(), 'feeds: done')
  commit(fake.source, 'kernel', { 'target/linux/x86/note': 'only the kernel\n' })
  t.is(await feeds(), 'feeds: cached')
  commit(fake.source, 'package', { 'package/new/Makefile': '# new\n' })
  t.is(await feeds(), 'feeds: done')
})

const asRoot = process.getuid?.() === 0 ? test : test.skip

asRoot('root is told that it builds code from elsewhere, and where that is told of', async (t) => {
  const fake = await fakeBuild(t)
  const built = await fake.build(['--until', 'source'])
  t.regex(
    built.stderr,
    /warning: root builds code that is not of fwbuild's catalogue \(.*source\): it runs without a container as uid \d+; docs\/security\.md/,
  )
})
