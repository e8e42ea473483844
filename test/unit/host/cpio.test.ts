import { spawnSync } from 'node:child_process'
import { lstat, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import * as fc from 'fast-check'
import { cpioArchive, type CpioEntry } from '../../../src/core/host/cpio.ts'
import { needProgram, testWith } from '../../helpers/need.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const file = (path: string, text = '', executable = false): CpioEntry => ({
  path,
  type: 'file',
  content: bytes(text),
  executable,
})

const needCpio = needProgram('cpio')

testWith([needCpio], 'GNU cpio unpacks what was packed', async (t) => {
  const directory = await temporaryDirectory(t)
  const archive = cpioArchive([
    file('init', '#!/bin/sh\n', true),
    file('lib/modules/6.1/a.ko', 'x'.repeat(5)),
    { path: 'bin', type: 'symlink', target: 'usr/bin' },
    { path: 'tmp/empty', type: 'directory' },
  ])
  const unpacked = spawnSync('cpio', ['-i', '--quiet'], { cwd: directory, input: archive })
  t.is(unpacked.status, 0, unpacked.stderr.toString())
  t.is(await readFile(join(directory, 'init'), 'utf8'), '#!/bin/sh\n')
  t.is((await lstat(join(directory, 'init'))).mode & 0o777, 0o755)
  t.is(await readFile(join(directory, 'lib/modules/6.1/a.ko'), 'utf8'), 'xxxxx')
  t.is(await readlink(join(directory, 'bin')), 'usr/bin')
  t.true((await lstat(join(directory, 'tmp/empty'))).isDirectory())
})

testWith([needCpio], 'GNU cpio lists any set of files as given, parents first', (t) => {
  const name = fc.stringMatching(/^[a-z][a-z-]{0,3}$/)
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(path, fc.string()), { selector: ([path]) => path }), (files) => {
      const paths = files.map(([path]) => path)
      // What is a directory for one cannot be a file.
      const leaves = files.filter(([path]) => !paths.some((other) => other.startsWith(`${path}/`)))
      const listed = spawnSync('cpio', ['-t', '--quiet'], {
        input: cpioArchive(leaves.map(([path, text]) => file(path, text))),
        encoding: 'utf8',
      })
      const names = listed.stdout.split('\n').filter(Boolean)
      t.is(listed.status, 0, listed.stderr)
      for (const [path] of leaves) t.true(names.includes(path))
      for (const [at, path] of names.entries()) {
        const parent = path.slice(0, path.lastIndexOf('/'))
        t.true(!path.includes('/') || names.indexOf(parent) < at, path)
        t.true(names.includes(parent) || !path.includes('/'))
      }
    }),
    { numRuns: 20 },
  )
})

test('the order of the entries does not matter, and every record starts at a multiple of four', (t) => {
  const entries = [file('a/b', 'one'), file('a-b', 'three'), file('c')]
  const archive = cpioArchive(entries)
  t.deepEqual(cpioArchive(entries.toReversed()), archive)
  t.is(archive.length % 4, 0)
})

test('a device has its numbers in the header', (t) => {
  const archive = cpioArchive([{ path: 'console', type: 'character-device', major: 5, minor: 1 }])
  const header = Buffer.from(archive).toString('latin1').slice(0, 110)
  t.is(header.slice(0, 6), '070701')
  t.is(parseInt(header.slice(14, 22), 16), 0o020600)
  t.is(header.slice(78, 94), '0000000500000001')
})

test('bad paths are refused', (t) => {
  for (const path of ['/init', '', 'a//b', '../a', 'a/./b']) {
    t.throws(() => cpioArchive([file(path)]), { instanceOf: RangeError })
  }
  t.throws(() => cpioArchive([file('a'), file('a')]), { instanceOf: RangeError })
})
