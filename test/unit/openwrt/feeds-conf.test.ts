import test from 'ava'
import { parseFeedsConf, renderFeedsConf } from '../../../src/core/openwrt/feeds-conf.ts'

test('the lines upstream writes: methods, branches, commits, comments', (t) => {
  const text = [
    '# a comment',
    '',
    'src-git packages https://h/packages.git^0123abc',
    'src-git-full luci https://h/luci.git;openwrt-22.03',
    '  src-link custom /usr/src/custom',
    '#src-git off https://h/off.git',
    'src-git plain https://h/plain.git',
    'src-git broken',
  ].join('\n')
  t.deepEqual(parseFeedsConf(text), [
    {
      method: 'src-git',
      flags: [],
      name: 'packages',
      location: 'https://h/packages.git',
      branch: undefined,
      commit: '0123abc',
    },
    {
      method: 'src-git-full',
      flags: [],
      name: 'luci',
      location: 'https://h/luci.git',
      branch: 'openwrt-22.03',
      commit: undefined,
    },
    {
      method: 'src-link',
      flags: [],
      name: 'custom',
      location: '/usr/src/custom',
      branch: undefined,
      commit: undefined,
    },
    {
      method: 'src-git',
      flags: [],
      name: 'plain',
      location: 'https://h/plain.git',
      branch: undefined,
      commit: undefined,
    },
  ])
})

test('flags between method and name, as newer releases take them, are passed on', (t) => {
  t.like(parseFeedsConf('src-git --root=feeds/x packages https://h/p.git;main')[0], {
    flags: ['--root=feeds/x'],
    name: 'packages',
    location: 'https://h/p.git',
    branch: 'main',
  })
})

test('a feeds.conf that reaches no network', (t) => {
  t.is(
    renderFeedsConf([
      { name: 'a', flags: [], path: '/x/a' },
      { name: 'b', flags: ['--root=sub'], path: '/y' },
    ]),
    'src-link a /x/a\nsrc-link --root=sub b /y\n',
  )
  t.is(renderFeedsConf([]), '')
})
