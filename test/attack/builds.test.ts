import { execFileSync, spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { hostKernelSpec } from '../../src/core/spec/host-kernel-spec.ts'
import { hostKernelStepIds } from '../../src/pipeline/host-kernel/step-ids.ts'
import { openwrtStepIds } from '../../src/pipeline/openwrt/step-ids.ts'
import { fakeKernelBuild } from '../helpers/fake-kernel.ts'
import { fakeBuild } from '../helpers/fake-openwrt.ts'
import { needDocker } from '../helpers/need.ts'
import { attack, runBuild, type Victim } from './rounds.ts'

/** `npm run attack` plants many more. */
const asked = process.env['FWBUILD_ATTACK_NAMES']
const names = Number(asked ?? '40')
const seed = Number(process.env['FWBUILD_SEED'] ?? '20261129')
const minutes = 60_000

/** Whose account fwbuild is run from, and where the builds run. */
interface Setting {
  readonly title: string
  readonly as?: Victim['as']
  readonly engine: 'host' | 'docker'
}

const isRoot = process.getuid?.() === 0
const someone = { uid: 61_234, gid: 61_234 }
const readable = (): boolean =>
  spawnSync(process.execPath, ['dist/src/cli.js', '--version'], { ...someone, cwd: process.cwd() }).status ===
  0

const settings: readonly Setting[] = [
  { title: isRoot ? 'as root' : 'as an ordinary user', engine: 'host' },
  ...(isRoot && readable() ? [{ title: 'as an ordinary user', as: someone, engine: 'host' } as const] : []),
  // Each build opens containers, so not in the quick half.
  ...(asked !== undefined && needDocker().present ? [{ title: 'in Docker', engine: 'docker' } as const] : []),
]

/** The victim as its first, undisturbed build left it. */
async function attackAll(t: ExecutionContext, { engine, as }: Setting, made: Victim): Promise<void> {
  const argv = made.argv.flatMap((word) =>
    word === '--engine=host' ? ['--engine', engine] : [word === 'host' ? engine : word],
  )
  const victim = { ...made, argv, ...(as === undefined ? {} : { as }) }
  if (as !== undefined) execFileSync('chown', ['-hR', `${as.uid}:${as.gid}`, made.cwd])
  const first = await runBuild(victim)
  // The last steps of a host kernel want programs that a machine may lack.
  t.true([0, 3].includes(first.exitCode), first.output)
  const { rounds, planted, exitCodes } = await attack(t, victim, { names, seed })
  const codes = [...exitCodes].toSorted(([a], [b]) => a - b).map(([code, count]) => `${code}: ${count}`)
  t.log(`${planted} names planted in ${rounds} builds; exit codes ${codes.join(', ')}`)
}

for (const setting of settings) {
  test.serial(`a hostile OpenWrt tree reaches nothing outside, ${setting.title}`, async (t) => {
    t.timeout(180 * minutes)
    const fake = await fakeBuild(t)
    const tree = fake.tree.slice(fake.work.length + 1)
    const asksFor = [
      'env/kernel-config',
      'tmp/fwbuild-kconfig/.config',
      '.git',
      '.config',
      'feeds.conf',
      'bin/targets/x86/64/config.buildinfo',
      'version',
      '.gitattributes',
      'logs/target/linux/compile.txt',
    ]
      .flatMap((name) => [name, dirname(name)])
      .filter((name) => name !== '.')
      .map((name) => `${tree}/${name}`)
    await attackAll(t, setting, {
      work: fake.work,
      output: fake.output,
      stateDir: fake.tree.replace('/trees/', '/builds/'),
      steps: openwrtStepIds,
      argv: fake.commandLine([]),
      cwd: fake.home,
      asksFor,
    })
  })

  test.serial(`a hostile kernel source reaches nothing outside, ${setting.title}`, async (t) => {
    t.timeout(180 * minutes)
    const fake = await fakeKernelBuild(t)
    const { name } = hostKernelSpec([{ source: fake.source }])
    const root = `trees/${name}`
    const asksFor = ['src', 'obj', 'zfs', 'stage', 'debs', 'proof']
      .flatMap((folder) =>
        ['', '.config', 'zfs-modules', 'Module.symvers', 'include'].map((below) => join(root, folder, below)),
      )
      .concat(['keys/apt/parameters', 'keys/apt/pubring.kbx', 'apt/etc', 'apt/apt.conf', 'apt/sources.list'])
    await attackAll(t, setting, {
      work: fake.work,
      output: fake.output,
      stateDir: join(fake.work, 'builds', name),
      steps: hostKernelStepIds,
      argv: fake.commandLine([]),
      cwd: fake.home,
      asksFor,
    })
  })
}
