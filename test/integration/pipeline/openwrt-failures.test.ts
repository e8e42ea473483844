import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { cli } from '../../helpers/cli.ts'
import { fakeBuild } from '../../helpers/fake-openwrt.ts'
import { commit, git } from '../../helpers/git-repository.ts'

test('a package that fails: its name, first error lines, log and command; the next run goes on', async (t) => {
  const fake = await fakeBuild(t)
  await fake.build(['--until', 'configure'])
  await fake.setSwitch('fail-zlib', 'error')
  const result = await fake.build()
  t.is(result.exitCode, 1)
  t.is(result.stdout, '')
  t.regex(result.stderr, /fwbuild: package\/libs\/zlib failed to build \[E_MAKE\]:\n/)
  t.regex(result.stderr, /^ {2}zlib\.c:12:3: error: 'missing' undeclared/m)
  t.regex(result.stderr, /\[E_MAKE\]/)
  const log = /^ {2}log: (.*)$/m.exec(result.stderr)?.[1] ?? ''
  t.regex(await readFile(log, 'utf8'), /ERROR: package\/libs\/zlib failed to build\./)
  const reproduce = /^ {2}reproduce: \.\/fwbuild (shell .*)$/m.exec(result.stderr)?.[1] ?? ''
  t.regex(reproduce, /--work \S+ .*-- make package\/libs\/zlib\/compile V=s -j1/)
  t.false(existsSync(join(fake.output, 'manifest.json')))

  const again = await cli(reproduce.split(' '), { cwd: fake.home })
  t.is(again.exitCode, 1)
  t.regex(again.stdout, /'missing' undeclared/)

  await rm(join(fake.tree, 'tmp/fail-zlib'))
  const mended = await fake.build()
  t.is(mended.exitCode, 0, mended.stderr)
  t.regex(mended.stderr, /Configure cached/)
})

test('a package that fails only beside others is told apart', async (t) => {
  const fake = await fakeBuild(t)
  await fake.build(['--until', 'configure'])
  await fake.setSwitch('fail-busybox', 'parallel')
  const result = await fake.build()
  t.is(result.exitCode, 1)
  t.regex(result.stderr, /package\/utils\/busybox failed in the parallel build, but not when made alone/)
})

test('a full disk in the middle is an infra error that says so, not a compile error', async (t) => {
  const fake = await fakeBuild(t)
  await fake.build(['--until', 'configure'])
  await fake.setSwitch('fail-zlib', 'disk-full')
  const result = await fake.build()
  t.is(result.exitCode, 3)
  t.regex(
    result.stderr,
    /no space left .*work \(\d+ MiB are free\) \[E_DISK_FULL\]\n.*run the same command again/,
  )
})

test('a required OpenWrt symbol that defconfig drops is listed', async (t) => {
  const fake = await fakeBuild(t)
  const result = await fake.build(['--package', 'no-such-package', '--package', 'zlib'])
  t.is(result.exitCode, 1)
  t.regex(
    result.stderr,
    /1 required symbols? (is|are) not in OpenWrt’s \.config \[E_CONFIG_DROPPED\]:\n {2}PACKAGE_no-such-package: /,
  )
  t.notRegex(result.stderr, /PACKAGE_zlib/)
  t.regex(result.stderr, /\[E_CONFIG_DROPPED\]/)
})

test('a required kernel symbol that the kernel does not know fails before anything is compiled', async (t) => {
  const fake = await fakeBuild(t)
  commit(fake.source, 'kernel without', { 'target/linux/x86/unknown-to-kernel': '9P_FS\n' })
  await writeFile(join(fake.home, 'mine.config'), '# mine\nCONFIG_9P_FS=y\n')
  const result = await fake.build(['--fragment', 'mine.config'])
  t.is(result.exitCode, 1)
  t.regex(
    result.stderr,
    /1 required symbol is not in the kernel’s configuration \[E_CONFIG_DROPPED\]:\n {2}9P_FS: wanted y \(.*mine\.config:2\), this tree has no such symbol/,
  )
  t.regex(result.stderr, /\[E_CONFIG_DROPPED\]/)
  t.notRegex(result.stderr, /Compile …/)
})

test('a required kernel symbol that can’t hold is told with what it depends on and lines that help', async (t) => {
  const fake = await fakeBuild(t)
  commit(fake.source, 'a bus', {
    'target/linux/x86/depends': 'MY_DRIVER MY_BUS\n',
    'target/linux/generic/config-5.10': '# CONFIG_MY_BUS is not set\n# CONFIG_MY_DRIVER is not set\n',
  })
  await writeFile(join(fake.home, 'mine.config'), 'CONFIG_MY_DRIVER=y\n')
  const result = await fake.build(['--fragment', 'mine.config', '--until', 'compile'])
  t.is(result.exitCode, 1)
  t.regex(result.stderr, /MY_DRIVER: wanted y \(.*mine\.config:1\), it is not set/)
  t.regex(result.stderr, /not met: MY_BUS=n \(Kconfig:\d+\)/)
  t.regex(result.stderr, /it holds with these lines:\n\s+CONFIG_MY_BUS=y\n\s+CONFIG_MY_DRIVER=y/)

  await writeFile(join(fake.home, 'mine.config'), 'CONFIG_MY_BUS=y\nCONFIG_MY_DRIVER=y\n')
  const helped = await fake.build(['--fragment', 'mine.config', '--until', 'compile'])
  t.is(helped.exitCode, 0, helped.stderr)
})

test('a kernel symbol that OpenWrt’s own configuration decides is told as that', async (t) => {
  const fake = await fakeBuild(t)
  await writeFile(join(fake.home, 'mine.config'), '# CONFIG_PCI_HYPERV is not set\n')
  const result = await fake.build(['--hv', 'hyperv', '--force-pci-hyperv', '--fragment', 'mine.config'])
  t.is(result.exitCode, 1)
  t.regex(result.stderr, /PCI_HYPERV: wanted n \(.*mine\.config:1\)/)
  t.regex(result.stderr, /OpenWrt’s own CONFIG_KERNEL_PCI_HYPERV decides it/)
})

test('order of layers in a choice: the last fragment wins over the tree’s layers and over earlier fragments', async (t) => {
  const fake = await fakeBuild(t)
  commit(fake.source, 'a timer', {
    'target/linux/x86/choice': 'HZ_100\nHZ_250\nHZ_300\n',
    'target/linux/x86/64/config-5.10': 'CONFIG_HZ_250=y\n',
  })
  await writeFile(join(fake.home, 'first.config'), 'CONFIG_HZ_300=y\n')
  await writeFile(join(fake.home, 'mine.config'), 'CONFIG_HZ_100=y\n')
  const fragments = ['--fragment', 'first.config', '--fragment', 'mine.config']
  const result = await fake.build([...fragments, '--until', 'compile'])
  t.is(result.exitCode, 0, result.stderr)
  t.regex(
    result.stderr,
    /HZ_100=y \(.*mine\.config:1\) replaces HZ_300=y \(.*first\.config:1\) of the same choice/,
  )
  t.notRegex(result.stderr, /conf sees .*HZ_.* otherwise/)
  const again = await fake.build([...fragments, '--until', 'compile'])
  t.is(again.exitCode, 0, again.stderr)
})

test('questions that a fragment brings up are listed where the kernel’s build would stop at them', async (t) => {
  const fake = await fakeBuild(t)
  commit(fake.source, 'a child', {
    'include/kernel-build.mk': 'export FAIL_ON_UNCONFIGURED=1\n',
    'target/linux/x86/unasked': 'MY_CHILD\n',
    'target/linux/x86/depends': 'MY_CHILD MY_BUS\n',
  })
  await writeFile(join(fake.home, 'mine.config'), 'CONFIG_MY_BUS=y\n')
  const result = await fake.build(['--fragment', 'mine.config', '--until', 'kernel-config'])
  t.is(result.exitCode, 0, result.stderr)
  t.regex(result.stderr, /no layer answers MY_CHILD: the kernel’s build may stop there/)
})

test('only-if groups are required where the kernel has the symbol, and left out where not', async (t) => {
  const fake = await fakeBuild(t)
  const group = (condition: string, line: string): string =>
    `#@ purpose: for a test\n#@ only-if: ${condition}\n${line}\n`
  await writeFile(join(fake.home, 'mine.config'), group('NO_SUCH_BUS', 'CONFIG_NO_SUCH_DRIVER=y'))
  commit(fake.source, 'drivers', {
    'target/linux/x86/unknown-to-kernel': 'NO_SUCH_BUS\nNO_SUCH_DRIVER\nOTHER_DRIVER\n',
  })
  const left = await fake.build(['--fragment', 'mine.config', '--until', 'compile'])
  t.is(left.exitCode, 0, left.stderr)
  await writeFile(join(fake.home, 'mine.config'), group('PCI', 'CONFIG_OTHER_DRIVER=y'))
  const asked = await fake.build(['--fragment', 'mine.config', '--until', 'compile'])
  t.is(asked.exitCode, 1)
  t.regex(asked.stderr, /OTHER_DRIVER: wanted y .* this tree has no such symbol/)
})

test('a required kernel symbol that only the built kernel lacks is listed with its fragment and the reason', async (t) => {
  const fake = await fakeBuild(t)
  commit(fake.source, 'kernel without', { 'target/linux/x86/lost-at-compile': 'CONFIG_9P_FS\n' })
  await writeFile(join(fake.home, 'mine.config'), '# mine\nCONFIG_9P_FS=y\n')
  const result = await fake.build(['--fragment', 'mine.config'])
  t.is(result.exitCode, 1)
  t.regex(
    result.stderr,
    /1 required symbol is not in the kernel’s final \.config \[E_CONFIG_DROPPED\]:\n {2}9P_FS: wanted y \(.*mine\.config:2\)/,
  )
  t.regex(result.stderr, /9P_FS: wanted y, is n: set CONFIG_9P_FS=y \(Kconfig:\d+\)/)
})

test('a patch that does not fit is refused with file, hunk and reason, and changes nothing', async (t) => {
  const fake = await fakeBuild(t)
  await fake.build(['--until', 'patch'])
  const patch = [
    '--- a/Makefile',
    '+++ b/Makefile',
    '@@ -1,2 +1,3 @@',
    ' no such line',
    '+new',
    ' nor this',
    '',
  ]
  await writeFile(join(fake.home, 'bad.patch'), patch.join('\n'))
  const before = git(fake.tree, 'rev-parse', 'HEAD')
  const result = await fake.build(['--patch', 'bad.patch'])
  t.is(result.exitCode, 1)
  t.regex(result.stderr, /bad\.patch does not fit this tree \[E_PATCH_REFUSED\]:\n {2}Makefile hunk 1: /)
  t.is(git(fake.tree, 'rev-parse', 'HEAD'), before)
  t.is(git(fake.tree, 'status', '--porcelain'), '')
})

test('bad patch files: missing, empty and broken', async (t) => {
  const fake = await fakeBuild(t)
  await writeFile(join(fake.home, 'empty.patch'), 'just words\n')
  await writeFile(join(fake.home, 'broken.patch'), '--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n one\n')
  for (const [file, code] of [
    ['none.patch', 'E_PATCH_MISSING'],
    ['empty.patch', 'E_PATCH_EMPTY'],
    ['broken.patch', 'E_PATCH_SYNTAX'],
  ] as const) {
    const result = await fake.build(['--patch', file])
    t.is(result.exitCode, 2, result.stderr)
    t.true(result.stderr.includes(`[${code}]`), result.stderr)
    t.true(result.stderr.includes(join(fake.home, file)))
  }
})

test('a good patch is in the tree, and leaves it again with the option', async (t) => {
  const fake = await fakeBuild(t)
  await writeFile(
    join(fake.home, 'good.patch'),
    '--- a/config/Config-images.in\n+++ b/config/Config-images.in\n@@ -1,2 +1,3 @@\n+# patched\n config GRUB_IMAGES\n \tbool "Build GRUB images"\n',
  )
  const result = await fake.build(['--patch', 'good.patch', '--until', 'patch'])
  t.is(result.exitCode, 0, result.stderr)
  t.regex(await readFile(join(fake.tree, 'config/Config-images.in'), 'utf8'), /^# patched$/m)
  t.is((await fake.build(['--until', 'patch'])).exitCode, 0)
  t.notRegex(await readFile(join(fake.tree, 'config/Config-images.in'), 'utf8'), /^# patched$/m)
})

test('a fragment that is missing or broken is a usage error with its place', async (t) => {
  const fake = await fakeBuild(t)
  const missing = await fake.build(['--fragment', 'none.config'])
  t.is(missing.exitCode, 2, missing.stderr)
  t.regex(missing.stderr, /none\.config cannot be read \[E_FRAGMENT_MISSING\]/)
  await writeFile(join(fake.home, 'broken.config'), '# fine\nNET_9P=y\n')
  const broken = await fake.build(['--fragment', 'broken.config'])
  t.is(broken.exitCode, 2, broken.stderr)
  t.regex(broken.stderr, /broken\.config:2: not a configuration line/)
})

test('sources: no such path, no repository, no such ref, no OpenWrt tree', async (t) => {
  const fake = await fakeBuild(t)
  const other = join(fake.home, 'other')
  for (const [source, exitCode, code] of [
    [join(fake.home, 'none'), 2, 'E_SOURCE_MISSING'],
    [fake.work, 2, 'E_SOURCE_NOT_GIT'],
    [`${fake.source}#none`, 2, 'E_REF_UNKNOWN'],
    [`${other}#main`, 1, 'E_NOT_OPENWRT'],
  ] as const) {
    if (source.startsWith(other)) {
      git(fake.home, 'init', '-q', '--initial-branch=main', other)
      commit(other, 'something else', { a: 'a\n' })
    }
    const result = await fake.build(['--source', source])
    t.is(result.exitCode, exitCode, result.stderr)
    t.true(result.stderr.includes(`[${code}]`), result.stderr)
  }
})

test('an unreachable source names the host and the ways around it', async (t) => {
  const fake = await fakeBuild(t)
  const result = await fake.build(['--source', 'http://host.invalid/openwrt.git#main'])
  t.is(result.exitCode, 3, result.stderr)
  t.regex(result.stderr, /host\.invalid could not be reached .* \[E_SOURCE_UNREACHABLE\]/)
  for (const way of ['--source', '--mirror', '--dl', '--release mini'])
    t.true(result.stderr.includes(way), way)
})

test('scripts/feeds that fails: its last lines and the log', async (t) => {
  const fake = await fakeBuild(t)
  commit(fake.source, 'break feeds', { 'scripts/feeds': '#!/bin/sh\necho no such feed >&2\nexit 3\n' })
  const result = await fake.build(['--until', 'feeds'])
  t.is(result.exitCode, 1)
  t.regex(
    result.stderr,
    /scripts\/feeds update -a failed \(exit 3\) \[E_FEEDS\]:\n {2}no such feed\n {2}log: /,
  )
})

test('a download that fails says where archives belong, and what --offline has to do with it', async (t) => {
  const fake = await fakeBuild(t)
  const goals = '.PHONY: $(MAKECMDGOALS)\n$(filter-out download,$(MAKECMDGOALS)):\n\t@sh ./scripts/build $@\n'
  const makefile = `${goals}download:\n\tfalse\n`
  commit(fake.source, 'break downloads', { Makefile: makefile })
  const online = await fake.build(['--until', 'download'])
  t.is(online.exitCode, 1, online.stderr)
  t.true(online.stderr.includes(`put the archive into ${join(fake.work, 'dl')}`), online.stderr)
  const offline = await fake.build(['--until', 'download', '--offline'])
  t.regex(offline.stderr, /--offline was given and .*dl lacks this/)
  const denied = `${goals}download:\n\t@echo "sh: cannot create a.tar: Permission denied" >&2; false\n`
  commit(fake.source, 'a folder of another user', { Makefile: denied })
  const result = await fake.build(['--until', 'download'])
  t.regex(result.stderr, /may not write to (.*downloads\/22\.03-\w+): chown -R \d+:\d+ \1/)
})
