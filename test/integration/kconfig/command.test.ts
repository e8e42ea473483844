import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { cli, type CliResult } from '../../helpers/cli.ts'

const kconfigText = `config MODULES
	def_bool y
	modules

config GUEST
	bool "Guest"

config BUS
	tristate "Bus"
	depends on GUEST

config CARD
	tristate "Card"
	depends on BUS
`
const header =
  '#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 6.12.103 Kernel Configuration\n#\n'

async function withFiles(
  t: ExecutionContext,
  body: (run: (...args: string[]) => Promise<CliResult>, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fwbuild-kconfig-cli-'))
  try {
    await mkdir(join(folder, 'tree'))
    await writeFile(join(folder, 'tree/Kconfig'), kconfigText)
    await writeFile(
      join(folder, 'tree/Makefile'),
      'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 103\nEXTRAVERSION =\n',
    )
    await writeFile(join(folder, 'base'), `${header}CONFIG_GUEST=y\n# CONFIG_BUS is not set\n`)
    await writeFile(join(folder, 'card.config'), '#@ purpose: a card\nCONFIG_CARD=y\n')
    await writeFile(join(folder, 'bus.config'), '#@ purpose: a bus\n#@ since: 5.0\nCONFIG_BUS=y\n')
    await body((...args) => cli(['kconfig', ...args], { cwd: folder }), folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  t.pass()
}

test('merge: the last file wins and both places are told', (t) =>
  withFiles(t, async (run, folder) => {
    const plain = await run('merge', 'base', 'bus.config', 'card.config')
    t.is(plain.exitCode, 0)
    t.is(plain.stdout, 'CONFIG_GUEST=y\nCONFIG_BUS=y\nCONFIG_CARD=y\n')
    t.regex(plain.stderr, /redefined: BUS=y \(bus\.config:3\) over n \(base:6\)/)
    t.is((await run('merge', 'base', 'bus.config', '-o', 'out')).stdout, '')
    t.is(await readFile(join(folder, 'out'), 'utf8'), 'CONFIG_GUEST=y\nCONFIG_BUS=y\n')
    const json = JSON.parse((await run('merge', 'base', 'bus.config', '--json')).stdout)
    t.deepEqual(json.assignments, [
      { symbol: 'GUEST', value: 'y' },
      { symbol: 'BUS', value: 'y' },
    ])
    t.is(json.redefinitions[0].later.origin.line, 3)
  }))

test('merge --tree resolves, and fails when a required line does not survive', (t) =>
  withFiles(t, async (run) => {
    const good = await run('merge', 'base', 'bus.config', 'card.config', '--tree', 'tree')
    t.is(good.exitCode, 0, good.stderr)
    t.is(good.stdout, 'CONFIG_MODULES=y\nCONFIG_GUEST=y\nCONFIG_BUS=y\nCONFIG_CARD=y\n')
    const bad = await run('merge', 'base', 'card.config', '--tree', 'tree')
    t.is(bad.exitCode, 1)
    t.regex(bad.stderr, /dropped: CARD=y of card\.config:2/)
    t.regex(bad.stderr, /E_KCONFIG_DROPPED/)
  }))

const choiceText = `
choice
	prompt "Timer"
	default HZ_250

config HZ_100
	bool "100"

config HZ_250
	bool "250"

config HZ_300
	bool "300"

endchoice
`

test('order of layers in a choice: merge, check and why --fix agree with conf that the last layer wins', (t) =>
  withFiles(t, async (run, folder) => {
    await writeFile(join(folder, 'tree/Kconfig'), kconfigText + choiceText)
    const base = `${header}# CONFIG_HZ_100 is not set\nCONFIG_HZ_250=y\n# CONFIG_HZ_300 is not set\n`
    await writeFile(join(folder, 'base'), base)
    for (const hz of ['100', '300']) await writeFile(join(folder, `${hz}.config`), `CONFIG_HZ_${hz}=y\n`)
    const plain = await run('merge', 'base', '300.config', '100.config')
    t.is(plain.stdout, 'CONFIG_HZ_250=y\nCONFIG_HZ_300=y\nCONFIG_HZ_100=y\n')
    for (const [first, last] of [
      ['300', '100'],
      ['100', '300'],
    ]) {
      const both = await run(
        'merge',
        'base',
        `${first}.config`,
        `${last}.config`,
        '--tree',
        'tree',
        '-o',
        'out',
      )
      t.is(both.exitCode, 0, both.stderr)
      t.regex(
        both.stderr,
        new RegExp(
          `overruled: HZ_${first}=y \\(${first}\\.config:1\\) by HZ_${last}=y \\(${last}\\.config:1\\)`,
        ),
      )
      t.regex(await readFile(join(folder, 'out'), 'utf8'), new RegExp(`^CONFIG_HZ_${last}=y$`, 'm'))
      const files = ['--fragment', `${first}.config`, '--fragment', `${last}.config`]
      const check = await run('check', '--config', 'out', ...files, '--tree', 'tree', '--kernel', '6.12')
      t.is(check.exitCode, 0, check.stdout + check.stderr)
      t.regex(check.stdout, /1 of 1 wanted symbols hold/)
    }
    const fix = await run('why', 'HZ_100', '--tree', 'tree', '--config', 'base', '--fix')
    await writeFile(join(folder, 'fix.config'), fix.stdout)
    t.is((await run('merge', 'base', 'fix.config', '--tree', 'tree')).exitCode, 0)
  }))

test('check takes a fragment of the user literally, as the build does', (t) =>
  withFiles(t, async (run, folder) => {
    await writeFile(join(folder, 'y.config'), 'CONFIG_TUN=y\n')
    await writeFile(join(folder, 'm.config'), 'CONFIG_TUN=m\n')
    await writeFile(join(folder, 'final'), `${header}CONFIG_TUN=m\n`)
    const mine = await run('check', '--config', 'final', '--fragment', 'y.config', '--fragment', 'm.config')
    t.is(mine.exitCode, 0, mine.stdout)
    // Our own fragment wants TUN=m, which a y below it serves.
    const ours = await run('check', '--config', 'final', '--fragment', 'y.config', '--fragment', 'network')
    t.regex(ours.stdout, /changed \(required\): TUN=y, wanted by y\.config:1/)
  }))

test('check tells what did not survive, and with a tree why', (t) =>
  withFiles(t, async (run) => {
    const plain = await run(
      'check',
      '--config',
      'base',
      '--fragment',
      'card.config',
      '--fragment',
      'bus.config',
    )
    t.is(plain.exitCode, 1)
    t.regex(plain.stdout, /dropped \(required\): BUS=y, wanted by bus\.config:3/)
    t.regex(plain.stdout, /0 of 2 wanted symbols hold/)
    const explained = await run('check', '--config', 'base', '--fragment', 'card.config', '--tree', 'tree')
    t.is(explained.exitCode, 1)
    t.regex(explained.stdout, /not met: BUS=n \(Kconfig:14\)/)
    t.regex(explained.stderr, /why CARD=y --fix/)
    const json = await run(
      'check',
      '--config',
      'base',
      '--fragment',
      'bus.config',
      '--kernel',
      '4.4',
      '--json',
    )
    t.is(json.exitCode, 0)
    t.deepEqual(JSON.parse(json.stdout), { version: 1, kernel: '4.4', wanted: 0, stronger: 0, misses: [] })
    t.is((await run('check', '--config', 'base', '--fragment', 'kvm')).exitCode, 1)
  }))

test('why prints the way, --fix lines that work', (t) =>
  withFiles(t, async (run, folder) => {
    const why = await run('why', 'CARD', '--tree', 'tree', '--config', 'base')
    t.is(why.exitCode, 0)
    t.regex(why.stdout, /CARD: wanted y, is n/)
    const fix = await run('why', 'CONFIG_CARD=m', '--tree', 'tree', '--config', 'base', '--fix')
    t.is(fix.stdout, '# makes CARD=m hold in base\nCONFIG_BUS=m\nCONFIG_CARD=m\n')
    await writeFile(join(folder, 'fix.config'), fix.stdout)
    t.is((await run('merge', 'base', 'fix.config', '--tree', 'tree')).exitCode, 0)
    const never = await run('why', 'MODULES=n', '--tree', 'tree', '--config', 'base', '--fix', '--json')
    t.is(never.exitCode, 1)
    t.is(JSON.parse(never.stdout).fix, null)
    t.regex(never.stderr, /E_KCONFIG_NO_FIX/)
  }))

test('diff compares two configurations', (t) =>
  withFiles(t, async (run, folder) => {
    await writeFile(join(folder, 'other'), `${header}CONFIG_GUEST=y\nCONFIG_BUS=m\n`)
    t.is((await run('diff', 'base', 'other')).stdout, 'General\n  BUS  n → m\n')
    t.is((await run('diff', 'base', 'base')).stdout, 'no difference\n')
    t.is(JSON.parse((await run('diff', 'base', 'other', '--json')).stdout).groups[0].changes[0].to, 'm')
  }))

const wrong: readonly (readonly [readonly string[], RegExp])[] = [
  [['check', '--config', 'nowhere', '--fragment', 'kvm'], /nowhere: no such file/],
  [['check', '--config', 'base', '--fragment', 'hypervv'], /Did you mean 'hyperv'/],
  [['check', '--config', 'base', '--fragment', 'nothing/like.it'], /no such file/],
  [['check', '--config', 'tree', '--fragment', 'kvm'], /not a file/],
  [['check', '--config', 'card.config', '--fragment', 'kvm'], /which kernel is this for/],
  [['check', '--config', 'base', '--fragment', 'typo.config'], /typo\.config:1: not a configuration line/],
  [['check', '--config', 'huge', '--fragment', 'kvm'], /huge: 100 MB is too large/],
  [['check', '--config', 'binary', '--fragment', 'kvm'], /binary:1: binary data/],
  [['why', 'A B', '--tree', 'tree', '--config', 'base'], /is no symbol/],
  [['why', 'A', '--tree', '.', '--config', 'base'], /no Kconfig file/],
  [['why', 'A'], /required option/],
  [['check', '--config', 'base'], /required option/],
]
for (const [args, message] of wrong)
  test(`wrong use ends 2: ${args.join(' ')}`, (t) =>
    withFiles(t, async (run, folder) => {
      await writeFile(join(folder, 'typo.config'), 'CONFG_CARD=y\n')
      await writeFile(join(folder, 'binary'), '\u007fELF\u0000\u0000')
      const huge = await open(join(folder, 'huge'), 'w')
      await huge.truncate(100_000_000)
      await huge.close()
      const result = await run(...args)
      t.is(result.exitCode, 2, result.stderr)
      t.regex(result.stderr.replaceAll(folder, ''), message)
    }))

test('a missing symbol is told with the kernels that have it, and m of ours is satisfied by y', (t) =>
  withFiles(t, async (run, folder) => {
    await writeFile(join(folder, 'vmbus.config'), 'CONFIG_HYPERV_VMBUS=y\n')
    const check = await run('check', '--config', 'base', '--fragment', 'vmbus.config')
    t.regex(check.stdout, /missing \(required\): HYPERV_VMBUS=y.*exists since kernel 6\.18/)
    await writeFile(join(folder, 'tun'), `${header}CONFIG_TUN=y\n`)
    const merge = await run('merge', 'tun', 'network')
    t.regex(merge.stdout, /^CONFIG_TUN=y$/m)
    t.notRegex(merge.stderr, /redefined: TUN=m/)
  }))
