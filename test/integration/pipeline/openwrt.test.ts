import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { manifestSchema, type Manifest } from '../../../src/core/manifest/manifest.ts'
import { sha256File } from '../../../src/effects/files.ts'
import { openwrtStepIds } from '../../../src/pipeline/openwrt/step-ids.ts'
import { fakeBuild, type FakeBuild } from '../../helpers/fake-openwrt.ts'
import { needProgram, testWith } from '../../helpers/need.ts'

const readManifest = async (fake: FakeBuild): Promise<Manifest> =>
  manifestSchema.parse(JSON.parse(await readFile(join(fake.output, 'manifest.json'), 'utf8')))

/** Outcome by step title, read off the plain report. */
const outcomes = (stderr: string): readonly string[] =>
  [...stderr.matchAll(/ (done|cached|FAILED|cancelled) \(/g)].map((match) => match[1] ?? '')

const disk = 'openwrt-22.03-fake-x86-64-generic-ext4-combined'

test('the whole recipe, and again: every step cached, nothing written', async (t) => {
  const fake = await fakeBuild(t)
  const first = await fake.build()
  t.is(first.exitCode, 0, first.stderr)
  t.deepEqual(
    outcomes(first.stderr),
    openwrtStepIds.map(() => 'done'),
  )
  t.regex(first.stdout, new RegExp(`^${disk}-efi\\.img +raw +uefi +3\\.0 MiB +not booted`, 'm'))

  const manifest = await readManifest(fake)
  t.is(manifest.kernel, '5.10')
  t.deepEqual(
    manifest.artifacts.map(({ path, firmware, bytes }) => ({ path, firmware, bytes })),
    [
      { path: `${disk}-efi.img`, firmware: 'uefi', bytes: 3_146_240 },
      { path: `${disk}.img`, firmware: 'bios', bytes: 3_146_240 },
    ],
  )
  t.deepEqual(
    manifest.steps.map(({ step }) => step),
    openwrtStepIds.slice(0, -1),
  )
  const sums = (await readFile(join(fake.output, 'sha256sums'), 'utf8')).trimEnd().split('\n')
  t.is(sums.length, manifest.artifacts.length + 5)
  for (const line of sums) {
    const [hash = '', name = ''] = line.split(' *')
    t.is(await sha256File(join(fake.output, name)), hash, name)
  }
  t.is((await stat(join(fake.output, 'reproduce.sh'))).mode & 0o111, 0o111)
  t.regex(await readFile(join(fake.output, 'kernel.config'), 'utf8'), /^CONFIG_VIRTIO_NET=y$/m)
  t.regex(await readFile(join(fake.output, 'config.buildinfo'), 'utf8'), /^CONFIG_GRUB_EFI_IMAGES=y$/m)
  t.true(existsSync(join(fake.work, 'CACHEDIR.TAG')))

  const written = (await stat(join(fake.output, 'manifest.json'))).mtimeMs
  const second = await fake.build(['--explain'])
  t.is(second.exitCode, 0, second.stderr)
  t.deepEqual(
    outcomes(second.stderr),
    openwrtStepIds.map(() => 'cached'),
  )
  t.regex(second.stderr, /no step ran again that had run before/)
  t.is((await stat(join(fake.output, 'manifest.json'))).mtimeMs, written)
  t.false(existsSync(join(fake.work, 'lock')))
})

test('a tree whose history the build cannot read is told', async (t) => {
  const fake = await fakeBuild(t)
  const blind = join(fake.home, 'bin')
  await mkdir(blind)
  const path = process.env['PATH'] ?? ''
  await writeFile(
    join(blind, 'git'),
    `#!/bin/sh\n[ "$*" = 'rev-parse --verify --quiet HEAD' ] && exit 1\nPATH='${path}' exec git "$@"\n`,
    { mode: 0o755 },
  )
  const env = { PATH: `${blind}:${path}`, HOME: fake.home }
  const result = await fake.build(['--until', 'configure'], { env })
  t.is(result.exitCode, 0, result.stderr)
  t.regex(result.stderr, /cannot read the history of the tree: the images will name no revision/)
})

test('touching one fragment line: steps before configure stay cached, --explain prints the line', async (t) => {
  const fake = await fakeBuild(t)
  const fragment = join(fake.home, 'mine.config')
  await writeFile(fragment, 'CONFIG_NET_9P=y\n')
  t.is((await fake.build(['--fragment', 'mine.config'])).exitCode, 0)
  await writeFile(fragment, 'CONFIG_NET_9P=m\n')
  const result = await fake.build(['--fragment', 'mine.config', '--explain'])
  t.is(result.exitCode, 0, result.stderr)
  t.deepEqual(outcomes(result.stderr).slice(0, 5), ['cached', 'cached', 'cached', 'cached', 'done'])
  t.regex(
    result.stderr,
    /configure ran again, its inputs differ:\n.* {2}kernelConfig\.\d+: "CONFIG_NET_9P=y" → "CONFIG_NET_9P=m"/s,
  )
  t.notRegex(result.stderr, /patch ran again/)
  t.regex(await readFile(join(fake.output, 'kernel.config'), 'utf8'), /^CONFIG_NET_9P=m$/m)
})

test('an output that went away is made again, and only what depends on it', async (t) => {
  const fake = await fakeBuild(t)
  t.is((await fake.build()).exitCode, 0)
  await rm(join(fake.output, `${disk}.img`))
  const result = await fake.build(['--explain'])
  t.is(result.exitCode, 0, result.stderr)
  t.regex(result.stderr, /images ran again: what it had made is gone or was changed/)
  t.deepEqual(outcomes(result.stderr).slice(0, 9), [...Array<string>(8).fill('cached'), 'done'])
  t.true(existsSync(join(fake.output, `${disk}.img`)))
})

test('--json: one document on stdout, one event a line on stderr', async (t) => {
  const fake = await fakeBuild(t)
  const result = await fake.build(['--json', '--firmware', 'bios'])
  t.is(result.exitCode, 0, result.stderr)
  const events = result.stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string })
  t.is(events[0]?.type, 'plan')
  t.is(events.filter(({ type }) => type === 'step-end').length, openwrtStepIds.length)
  const document = JSON.parse(result.stdout) as { artifacts: { path: string }[] }
  t.deepEqual(
    document.artifacts.map(({ path }) => path),
    [`${disk}.img`],
  )
})

test('--hv hyperv on a kernel with the driver: KERNEL_PCI_HYPERV only when forced, and then set', async (t) => {
  const fake = await fakeBuild(t)
  const plain = await fake.build(['--hv', 'hyperv', '--until', 'configure'])
  t.is(plain.exitCode, 0, plain.stderr)
  t.regex(plain.stderr, /kernel has PCI_HYPERV=y by itself: KERNEL_PCI_HYPERV is not needed/)
  t.notRegex(await readFile(join(fake.tree, '.config'), 'utf8'), /KERNEL_PCI_HYPERV/)
  const forced = await fake.build(['--hv', 'hyperv', '--force-pci-hyperv'])
  t.is(forced.exitCode, 0, forced.stderr)
  t.regex(await readFile(join(fake.tree, '.config'), 'utf8'), /^CONFIG_KERNEL_PCI_HYPERV=y$/m)
  t.regex(
    await readFile(join(fake.tree, 'config/Config-kernel.in'), 'utf8'),
    /^config KERNEL_PCI_HYPERV\n.*\n\tdepends on TARGET_x86_64\n\tdefault y$/m,
  )
  t.regex(await readFile(join(fake.output, 'kernel.config'), 'utf8'), /^CONFIG_PCI_HYPERV=y$/m)
  const [patch] = (await readManifest(fake)).patches
  t.is(patch?.status, 'applied')
})

test('--share 9p builds our package in, with the kernel’s 9P', async (t) => {
  const fake = await fakeBuild(t)
  const result = await fake.build(['--share', '9p'])
  t.is(result.exitCode, 0, result.stderr)
  t.regex(await readFile(join(fake.tree, '.config'), 'utf8'), /^CONFIG_PACKAGE_hostshares=y$/m)
  t.regex(await readFile(join(fake.output, 'kernel.config'), 'utf8'), /^CONFIG_NET_9P_VIRTIO=y$/m)
  t.deepEqual((await readManifest(fake)).shares, ['9p'])
})

testWith(
  [needProgram('qemu-img')],
  'formats: converted from the raw disk, stale and unfinished ones removed',
  async (t) => {
    const fake = await fakeBuild(t)
    const first = await fake.build(['--image', 'qcow2,vmdk', '--firmware', 'bios'])
    t.is(first.exitCode, 0, first.stderr)
    t.deepEqual(
      (await readManifest(fake)).artifacts.map(({ path }) => path),
      [`${disk}.qcow2`, `${disk}.vmdk`],
    )
    t.false(existsSync(join(fake.output, `${disk}.img`)))
    const unfinished = join(fake.output, `${disk}.vhdx.0123456789ab.tmp`)
    await writeFile(unfinished, 'half an image of a killed run')
    t.is((await fake.build(['--image', 'vhdx', '--firmware', 'bios'])).exitCode, 0)
    t.true(existsSync(join(fake.output, `${disk}.vhdx`)))
    t.false(existsSync(unfinished))
    t.false(existsSync(join(fake.output, `${disk}.qcow2`)))
  },
)
