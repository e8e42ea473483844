import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openwrtStepIds } from '../../../src/pipeline/openwrt/step-ids.ts'
import { cli, type CliResult } from '../../helpers/cli.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

interface Bench {
  readonly home: string
  readonly openwrt: (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<CliResult>
}

async function bench(t: ExecutionContext): Promise<Bench> {
  const home = await temporaryDirectory(t)
  return {
    home,
    openwrt: (args, env = {}) =>
      cli(['openwrt', ...args], { cwd: home, env: { PATH: process.env['PATH'], HOME: home, ...env } }),
  }
}

/** Arguments, code or a part of the message, a part of the hint. */
const badInput: readonly (readonly [args: readonly string[], message: RegExp, hint?: RegExp])[] = [
  [['--release', '99'], /unknown release ‘99’ \[E_RELEASE_UNKNOWN\]/, /known releases: mini, lede, 17\.01/],
  [['--hv', 'kvm,qemu'], /--hv .*qemu.*: .*"kvm"\|"vmware"\|"hyperv"\|"xen" .*\[E_OPTION\]/],
  [['--hv', ','], /no hypervisor named \[E_HV_EMPTY\]/, /--hv kvm,hyperv/],
  [['--image', 'iso'], /--image iso: .*"qcow2".*\[E_OPTION\]/],
  [['--image', ''], /no image format named/, /--image raw,qcow2/],
  [['--firmware', 'coreboot'], /--firmware coreboot: .*\[E_OPTION\]/],
  [['--firmware', ','], /no firmware named/, /--firmware bios/],
  [['--share', 'nfs'], /--share nfs: .*\[E_OPTION\]/],
  [['--until', 'lunch'], /there is no step ‘lunch’ \[E_STEP_UNKNOWN\]/, /steps: source, merge, .*manifest/],
  [['--rootfs-size', 'big'], /--rootfs-size.*whole number above 0/],
  [['--rootfs-size', '0'], /--rootfs-size.*whole number above 0/],
  [['-j', '1.5'], /--jobs.*whole number above 0/],
  [['--engine', 'podman'], /--engine.*docker, host/],
  [['--mirror', 'nonsense'], /--mirror nonsense: not the URL of a Debian mirror.*\[E_OPTION\]/],
  [['--mirror', 'https://'], /--mirror https:\/\/: not the URL/],
  [['--source', '#main'], /‘#main’ is not a source \[E_SOURCE_SYNTAX\]/],
  [['--merge', 'x#'], /x#’ is not a source \[E_SOURCE_SYNTAX\]/],
  [['--package', 'a b'], /‘a b’ is not a package name \[E_PACKAGE_NAME\]/],
  [['--release', '19.07', '--firmware', 'uefi'], /has no uefi images by itself \[E_FIRMWARE\]/, /x86_uefi/],
  [['--frobnicate'], /unknown option '--frobnicate'/],
  [['surplus'], /too many arguments/],
  [['-C', 'none.yaml'], /none\.yaml cannot be read: .*\[E_FILE_UNREADABLE\]/],
  [['-C', '.'], /cannot be read: .*\[E_FILE_UNREADABLE\]/],
  [['--lock', 'none.lock'], /none\.lock cannot be read: .*\[E_LOCK_UNREADABLE\]/],
]

for (const [args, message, hint] of badInput) {
  test(`openwrt ${args.join(' ')}: a usage error, nothing left behind`, async (t) => {
    const { home, openwrt } = await bench(t)
    const result = await openwrt([...args, '--work', join(home, 'work')])
    t.is(result.exitCode, 2, result.stderr)
    t.is(result.stdout, '')
    t.regex(result.stderr, message)
    if (hint !== undefined) t.regex(result.stderr, hint)
    t.false(existsSync(join(home, 'work')))
    t.false(existsSync(join(home, 'out')))
  })
}

test('--dry-run --json is one JSON document', async (t) => {
  const { openwrt } = await bench(t)
  const { exitCode, stdout } = await openwrt(['--dry-run', '--json', '--release', 'mini', '--until', 'merge'])
  t.is(exitCode, 0)
  const plan = JSON.parse(stdout) as { readonly steps: unknown; readonly command: readonly string[] }
  t.deepEqual(plan.steps, ['source', 'merge'])
  t.deepEqual(plan.command.slice(0, 4), ['fwbuild', 'openwrt', '--release', 'mini'])
})

test('an invalid fwbuild.yaml is told by file, line and column', async (t) => {
  const { home, openwrt } = await bench(t)
  await writeFile(join(home, 'fwbuild.yaml'), 'version: 1\nopenwrt:\n  release: mini\n  hv: kvm\n')
  const result = await openwrt(['--dry-run'])
  t.is(result.exitCode, 2)
  t.regex(result.stderr, /^fwbuild: fwbuild\.yaml:4:7: openwrt\.hv: .*\[E_FILE_INVALID\]$/m)
  t.regex(result.stderr, /fwbuild\.schema\.json/)
})

test('a fwbuild.yaml that this user may not read', async (t) => {
  const { home, openwrt } = await bench(t)
  await writeFile(join(home, 'fwbuild.yaml'), 'version: 1\n')
  await chmod(join(home, 'fwbuild.yaml'), 0)
  const result = await openwrt(['--dry-run'])
  // root may read anything.
  if (process.getuid?.() === 0) t.is(result.exitCode, 0)
  else t.regex(result.stderr, /E_FILE_UNREADABLE/)
})

test('bad lock files', async (t) => {
  const { home, openwrt } = await bench(t)
  await writeFile(join(home, 'fwbuild.lock'), '{')
  const broken = await openwrt(['--dry-run'])
  t.is(broken.exitCode, 2)
  t.regex(broken.stderr, /fwbuild\.lock is not JSON \[E_LOCK_SYNTAX\]\n.*fwbuild lock --update/)
  const other = { version: 1, release: 'mini', sources: [], patches: [], buildroot: null }
  await writeFile(join(home, 'fwbuild.lock'), JSON.stringify(other))
  t.is(
    (await openwrt(['--dry-run', '--release', '24.10'])).exitCode,
    0,
    'one that just lies there is not for us',
  )
  const named = await openwrt(['--dry-run', '--release', '24.10', '--lock', 'fwbuild.lock'])
  t.is(named.exitCode, 2)
  t.regex(named.stderr, /fwbuild\.lock pins release mini, not 24\.10 \[E_LOCK_RELEASE\]/)
})

test('--dry-run prints the plan and does nothing', async (t) => {
  const { home, openwrt } = await bench(t)
  const result = await openwrt([
    '--dry-run',
    '--release',
    'mini',
    '--hv',
    'kvm,hyperv',
    '--until',
    'configure',
    '-j',
    '3',
  ])
  t.is(result.exitCode, 0, result.stderr)
  t.is(result.stderr, '')
  t.is(
    result.stdout.replaceAll(home, '~'),
    [
      'release   mini: miniature OpenWrt (this project’s own, real kernel and BusyBox from Debian), Linux 6.1',
      'work      ~/.cache/fwbuild',
      'output    ~/out/mini',
      'engine    docker, 3 jobs',
      'steps     source → merge → patch → feeds → configure',
      'the same  fwbuild openwrt --release mini --hv kvm,hyperv --firmware bios,uefi --image raw,qcow2,vhdx',
      '',
    ].join('\n'),
  )
  t.false(existsSync(join(home, '.cache')))
})

test('flags beat the environment, the environment the file; each names paths from where it stands', async (t) => {
  const { home, openwrt } = await bench(t)
  await mkdir(join(home, 'settings'))
  await writeFile(
    join(home, 'settings/mine.yaml'),
    [
      'version: 1',
      'work: work-of-file',
      'output: out-of-file',
      'jobs: 7',
      'openwrt:',
      '  release: 23.05',
      '  hv: [xen]',
      '  patch: [p.patch]',
      '  source: ../clone#x',
      '  merge: [other#y, https://example.org/z.git#w]',
    ].join('\n'),
  )
  const args = ['--dry-run', '-C', 'settings/mine.yaml']
  const file = await openwrt(args)
  t.is(file.exitCode, 2, 'a release of digits has to be quoted in YAML')
  const text = await readFile(join(home, 'settings/mine.yaml'), 'utf8')
  await writeFile(join(home, 'settings/mine.yaml'), text.replace('23.05', '"23.05"'))
  const plan = async (more: readonly string[], env = {}) => (await openwrt([...args, ...more], env)).stdout
  t.regex(await plan([]), /^release {3}23\.05: /m)
  t.true(
    (await plan([])).includes(
      `work      ${home}/settings/work-of-file\noutput    ${home}/settings/out-of-file`,
    ),
  )
  t.regex(await plan([]), /, 7 jobs$/m)
  t.true((await plan([])).includes(`--source ${home}/clone#x `), await plan([]))
  t.true((await plan([])).includes(`--merge ${home}/settings/other#y --merge https://example.org/z.git#w `))
  t.true((await plan([])).includes(`--patch ${home}/settings/p.patch`))
  const env = { FWBUILD_RELEASE: '24.10', FWBUILD_WORK: 'work-of-env', FWBUILD_JOBS: '5' }
  t.regex(await plan([], env), /^release {3}24\.10: /m)
  t.true((await plan([], env)).includes(`work      ${home}/work-of-env\n`))
  t.regex(await plan([], env), /--hv xen/)
  const flags = ['--release', 'main', '--work', 'w', '-j', '2', '--hv', 'kvm']
  t.regex(await plan(flags, env), /^release {3}main: .*\nwork {6}.*\/w\n[^]*, 2 jobs\n[^]*--hv kvm /m)
  t.regex(await plan(['--source', 'here#z']), new RegExp(`--source ${home}/here#z `))
})

test('fwbuild.yaml of the current directory is read without being asked for', async (t) => {
  const { home, openwrt } = await bench(t)
  await writeFile(join(home, 'fwbuild.yaml'), 'version: 1\nopenwrt:\n  release: mini\n  boot: false\n')
  const result = await openwrt(['--dry-run'])
  t.regex(result.stdout, /^release {3}mini: /m)
  t.regex(result.stdout, /--no-boot$/m)
})

test('the environment is checked like flags', async (t) => {
  const { openwrt } = await bench(t)
  const result = await openwrt(['--dry-run'], { FWBUILD_HV: 'kvm,vbox' })
  t.is(result.exitCode, 2)
  t.regex(result.stderr, /FWBUILD_HV=kvm,vbox: .*\[E_ENV_INVALID\]/)
})

test('a variable that is no setting is warned of, and changes nothing', async (t) => {
  const { openwrt } = await bench(t)
  const env = { FWBUILD_RELAESE: 'mini' }
  const { stderr, stdout, exitCode } = await openwrt(['--dry-run'], env)
  t.is(exitCode, 0)
  t.regex(stdout, /^release {3}25\.12/)
  t.is(
    stderr,
    'fwbuild: warning: FWBUILD_RELAESE is set, but there is no such setting; was FWBUILD_RELEASE meant?\n',
  )
  const json = await openwrt(['--dry-run', '--json'], env)
  t.like(JSON.parse(json.stderr), { type: 'note', level: 'warn' })
})

test('no Docker and no --engine host: told before anything is fetched, with the way out', async (t) => {
  const { home, openwrt } = await bench(t)
  const args = ['--release', 'mini', '--work', join(home, 'work'), '--until', 'configure']
  const result = await openwrt(args, { DOCKER_HOST: `unix://${home}/none.sock` })
  t.is(result.exitCode, 3, result.stderr)
  t.regex(result.stderr, /none\.sock/)
  t.regex(result.stderr, /--engine host/)
  t.notRegex(result.stderr, /Source tree/)
  t.deepEqual(await readdir(join(home, 'work')), ['CACHEDIR.TAG'])
})

test('a work directory that cannot be made is an infra error, not a bug', async (t) => {
  const { home, openwrt } = await bench(t)
  await writeFile(join(home, 'file'), '')
  const result = await openwrt([
    '--release',
    'mini',
    '--work',
    'file/work',
    '--engine',
    'host',
    '--until',
    'source',
  ])
  t.is(result.exitCode, 3, result.stderr)
  t.regex(result.stderr, /file\/work/)
})

test('too little disk space is told before the build, by an estimate less what is there', async (t) => {
  const { checkDisk } = await import('../../../src/pipeline/disk-preflight.ts')
  const { home } = await bench(t)
  const { signal } = new AbortController()
  const tree = join(home, 'tree')
  const need = { path: join(home, 'not/yet'), bytes: 2 ** 60, writes: [tree], builtMark: join(home, 'built') }
  await t.throwsAsync(checkDisk(need, signal), {
    code: 'E_DISK_SPACE',
    message: /, the build needs about 1073741824\.0 GiB$/,
  })
  // Of a build that was broken off: an eighth of a GiB.
  await mkdir(tree)
  await writeFile(join(tree, 'object'), Buffer.alloc(2 ** 27, 1))
  await t.throwsAsync(checkDisk(need, signal), {
    message: /, the rest of the build needs about 1073741823\.9 GiB$/,
  })
  await writeFile(join(home, 'built'), '')
  await t.throwsAsync(checkDisk(need, signal), { message: /needs about 214748364\.8 GiB$/ })
  await t.notThrowsAsync(checkDisk({ ...need, bytes: 1 }, signal))
})

test('--help lists the steps', async (t) => {
  const result = await cli(['openwrt', '--help'])
  t.is(result.exitCode, 0)
  t.true(result.stdout.includes(`Steps for --until: ${openwrtStepIds.join(', ')}`))
})

test('a list given twice is one list; each value counts once', async (t) => {
  const { openwrt } = await bench(t)
  const flags = ['--hv', 'kvm', '--hv', 'hyperv,kvm', '--share', '9p', '--share', 'vsock,9p', '--dry-run']
  const { stdout } = await openwrt(flags)
  t.regex(stdout, /--hv kvm,hyperv --share 9p,vsock /)
})

test('the work directory is absolute also without a HOME; a relative XDG_CACHE_HOME is ignored', async (t) => {
  const { openwrt, home } = await bench(t)
  t.regex((await openwrt(['--dry-run'], { HOME: '' })).stdout, /^work +\/.*\/\.cache\/fwbuild$/m)
  const { stdout } = await openwrt(['--dry-run'], { XDG_CACHE_HOME: 'relative' })
  t.true(stdout.includes(` ${home}/.cache/fwbuild\n`), stdout)
})
