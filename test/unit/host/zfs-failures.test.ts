import test from 'ava'
import { explainZfsFailure, zfsErrorLines } from '../../../src/core/host/zfs-failures.ts'

/** As configure of ZFS 2.3.9 prints it. */
const trimmed = [
  'checking whether CONFIG_BLOCK is defined... yes',
  'checking whether CONFIG_TRIM_UNUSED_KSYM is disabled... no',
  'configure: error: ',
  '\t*** This kernel has unused symbols trimming enabled, please disable.',
  '\t*** Rebuild the kernel with CONFIG_TRIM_UNUSED_KSYMS=n set.',
]

for (const [says, line] of [
  ['CONFIG_MODULES=y', '\t\t*** This kernel does not include the required loadable module'],
  ['CONFIG_BLOCK=y', '\t*** This kernel does not include the required block device support.'],
  [
    '# CONFIG_DEBUG_LOCK_ALLOC is not set',
    '\t*** Kernel built with CONFIG_DEBUG_LOCK_ALLOC which is incompatible',
  ],
  [
    '# CONFIG_DEBUG_LOCK_ALLOC is not set',
    "ERROR: modpost: GPL-incompatible module zfs.ko uses GPL-only symbol 'mutex_lock_nested'",
  ],
  ['# CONFIG_TRIM_UNUSED_KSYMS is not set', trimmed.join('\n')],
  ['CONFIG_CRYPTO_DEFLATE=m', '\t*** This kernel does not include the required zlib inflate support.'],
  [
    'CONFIG_CRYPTO_DEFLATE=m',
    'ERROR: modpost: "zlib_deflateInit2" [/build/zfs/build/module/zfs.ko] undefined!',
  ],
] as const) {
  test(`the cure ${says} for: ${line.trim().slice(0, 70)}`, (t) => {
    t.true(explainZfsFailure(line.split('\n'))?.fragment.includes(says))
  })
}

test('a kernel that is too new, a missing symbol, a missing kernel build: told without a fragment', (t) => {
  for (const line of [
    '\t*** The maximum supported kernel version is 7.2.',
    '\t*** None of the expected "bops->submit_bio()" interfaces were detected.',
    "ERROR: modpost: GPL-incompatible module zfs.ko uses GPL-only symbol 'bdev_io_acct'",
    'ERROR: modpost: "posix_acl_chmod" [/x/module/zfs.ko] undefined!',
    '\t*** Please make sure the kernel devel package for your distribution',
    'configure: error: C compiler cannot create executables',
  ]) {
    const failure = explainZfsFailure(['checking for gcc... gcc', line])
    t.deepEqual(failure?.fragment, [], line)
    t.truthy(failure?.advice, line)
  }
  t.is(explainZfsFailure(['segmentation fault']), undefined)
})

test('the first error with what follows it, without the checks around', (t) => {
  t.deepEqual(
    zfsErrorLines(trimmed),
    trimmed.slice(2).map((line) => line.trimEnd()),
  )
  t.deepEqual(
    zfsErrorLines(['a', 'x.c:1:2: error: no such thing', '  here', 'make[2]: *** [x.o] Error 1'], 2),
    ['x.c:1:2: error: no such thing', '  here'],
  )
  t.deepEqual(zfsErrorLines(['a', '', 'b', 'c'], 2), ['b', 'c'])
})
