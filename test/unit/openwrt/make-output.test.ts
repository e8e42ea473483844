import test from 'ava'
import { firstErrorLines, readMakeLine } from '../../../src/core/openwrt/make-output.ts'

test('steps, ends and failures are read from the lines of every release', (t) => {
  t.deepEqual(readMakeLine(' make[3] -C package/libs/zlib compile'), {
    type: 'begin',
    item: 'package/libs/zlib',
    target: 'compile',
  })
  t.deepEqual(readMakeLine('time: package/libs/zlib/compile#1.20#0.31#2.13'), {
    type: 'finish',
    item: 'package/libs/zlib',
    target: 'compile',
  })
  t.deepEqual(readMakeLine('    ERROR: package/feeds/x/y failed to build.'), {
    type: 'failed',
    item: 'package/feeds/x/y',
    target: 'compile',
  })
  t.deepEqual(readMakeLine('make[2]: *** [package/Makefile:116: package/libs/zlib/compile] Error 2'), {
    type: 'failed',
    item: 'package/libs/zlib',
    target: 'compile',
  })
  t.deepEqual(readMakeLine('make[2]: *** [package/libs/zlib/install] Error 1'), {
    type: 'failed',
    item: 'package/libs/zlib',
    target: 'install',
  })
  t.is(readMakeLine('echo "ERROR: please fix package/x"'), undefined)
  t.deepEqual(readMakeLine('cp: write error: No space left on device'), { type: 'disk-full' })
})

test('the first error is shown with its surroundings, not the last lines of make', (t) => {
  const lines = [
    'cc -c a.c',
    'a.c: In function f',
    'a.c:3: error: x undeclared',
    'more',
    'make[3]: *** [a.o] Error 1',
  ]
  t.deepEqual(firstErrorLines(lines, 4), lines.slice(0, 4))
})

test('programs that the machine lacks are the cause, not the check that found them', (t) => {
  const missing = ['Build dependency: Please install ld', 'Build dependency: Please install mkfs.fat']
  const lines = [
    'x',
    'y',
    'z',
    ...missing,
    '',
    'Prerequisite check failed.',
    'make: *** [a:1: prereq] Error 1',
  ]
  t.deepEqual(firstErrorLines(lines, 5), ['y', 'z', ...missing, ''])
})
