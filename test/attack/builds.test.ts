import { dirname, join } from 'node:path'
import test from 'ava'
import { hostKernelSpec } from '../../src/core/spec/host-kernel-spec.ts'
import { hostKernelStepIds } from '../../src/pipeline/host-kernel/step-ids.ts'
import { openwrtStepIds } from '../../src/pipeline/openwrt/step-ids.ts'
import { fakeKernelBuild } from '../helpers/fake-kernel.ts'
import { fakeBuild } from '../helpers/fake-openwrt.ts'
import { attack, type Tally } from './rounds.ts'

/** `npm run attack` plants many more. */
const names = Number(process.env['FWBUILD_ATTACK_NAMES'] ?? '40')
const seed = Number(process.env['FWBUILD_SEED'] ?? '20261129')
const minutes = 60_000

function tell({ rounds, planted, exitCodes }: Tally): string {
  const codes = [...exitCodes].toSorted(([a], [b]) => a - b).map(([code, count]) => `${code}: ${count}`)
  return `${planted} names planted in ${rounds} builds; exit codes ${codes.join(', ')}`
}

test.serial('a hostile OpenWrt tree reaches nothing outside, whatever it leaves where', async (t) => {
  t.timeout(120 * minutes)
  const fake = await fakeBuild(t)
  const first = await fake.build()
  t.is(first.exitCode, 0, first.stderr)
  const tree = fake.tree.slice(fake.work.length + 1)
  const stateDir = fake.tree.replace('/trees/', '/builds/')
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
  const victim = {
    work: fake.work,
    output: fake.output,
    stateDir,
    steps: openwrtStepIds,
    argv: fake.commandLine([]),
    cwd: fake.home,
    asksFor,
  }
  t.log(tell(await attack(t, victim, { names, seed })))
})

test.serial('a hostile kernel source reaches nothing outside, whatever it leaves where', async (t) => {
  t.timeout(120 * minutes)
  const fake = await fakeKernelBuild(t)
  const first = await fake.build()
  t.true([0, 3].includes(first.exitCode), first.stderr)
  const { name } = hostKernelSpec([{ source: fake.source }])
  const root = `trees/${name}`
  const asksFor = ['src', 'obj', 'zfs', 'stage', 'debs', 'proof']
    .flatMap((folder) =>
      ['', '.config', 'zfs-modules', 'Module.symvers', 'include'].map((below) => join(root, folder, below)),
    )
    .concat(['keys/apt/parameters', 'keys/apt/pubring.kbx', 'apt/etc', 'apt/apt.conf', 'apt/sources.list'])
  const victim = {
    work: fake.work,
    output: fake.output,
    stateDir: join(fake.work, 'builds', name),
    steps: hostKernelStepIds,
    argv: fake.commandLine([]),
    cwd: fake.home,
    asksFor,
  }
  t.log(tell(await attack(t, victim, { names, seed })))
})
