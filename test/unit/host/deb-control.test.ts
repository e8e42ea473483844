import { spawnSync } from 'node:child_process'
import test from 'ava'
import { renderControl, renderMaintainerScript, type DebControl } from '../../../src/core/host/deb-control.ts'

const control: DebControl = {
  name: 'linux-thing-6.1.192-fwbuild-acs',
  version: '6.1.192-1',
  maintainer: 'fwbuild <root@localhost>',
  depends: ['kmod', 'linux-image-6.1.192-fwbuild-acs (= 6.1.192-1)'],
  synopsis: 'a thing',
  description: ['Words '.repeat(30), 'Second paragraph.'],
}

test('fields in order, lists joined, the description folded as the policy has it', (t) => {
  const text = renderControl(control, 12)
  t.is(text.split('\n')[0], 'Package: linux-thing-6.1.192-fwbuild-acs')
  t.true(text.includes('\nDepends: kmod, linux-image-6.1.192-fwbuild-acs (= 6.1.192-1)\n'))
  t.true(text.includes('\nInstalled-Size: 12\n'))
  t.true(text.endsWith('Words\n .\n Second paragraph.\n'))
  t.true(text.split('\n').every((line) => line.length < 80))
  t.false(text.includes('\n\n'))
})

test('what dpkg or the policy refuses is refused here, by name', (t) => {
  const refused = (change: Partial<DebControl>): void => {
    t.throws(() => renderControl({ ...control, ...change }, 0), { code: 'E_DEB_FIELD' })
  }
  refused({ name: 'Linux_thing' })
  refused({ name: 'x' })
  refused({ version: 'v1' })
  refused({ version: '1.0 2' })
  refused({ maintainer: 'me\nEssential: yes' })
  refused({ depends: ['a\n\nPackage: b'] })
  refused({ synopsis: '' })
  t.notThrows(() => renderControl({ ...control, version: '1:2.3.9~rc1+k6.1-1' }, 0))
})

const run = (script: string, argument: string): string =>
  spawnSync('sh', ['-s', '--', argument], { input: script, encoding: 'utf8' }).stdout

test('a script acts on its arguments only, and where what it needs is there', (t) => {
  const script = renderMaintainerScript([
    { on: ['configure', 'triggered'], argv: ['echo', "it's", '$HOME'] },
    { on: ['configure'], needs: ['no-such-program'], argv: ['echo', 'wrong'] },
    { on: ['configure'], needs: ['sh', '/no/such/file'], argv: ['echo', 'wrong'] },
    { on: ['configure'], needs: ['sh', '/'], argv: ['echo', 'last'] },
  ])
  t.is(run(script, 'configure'), "it's $HOME\nlast\n")
  t.is(run(script, 'triggered'), "it's $HOME\n")
  t.is(run(script, 'abort-upgrade'), '')
})

test('a failing action ends the script', (t) => {
  const script = renderMaintainerScript([
    { on: ['remove'], argv: ['false'] },
    { on: ['remove'], argv: ['echo', 'not reached'] },
  ])
  const { status, stdout } = spawnSync('sh', ['-s', '--', 'remove'], { input: script, encoding: 'utf8' })
  t.is(status, 1)
  t.is(stdout, '')
})
