import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import {
  chmod,
  copyFile,
  mkdtemp,
  readFile,
  readdir,
  readlink,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import test from 'ava'
import type { BootResult } from '../../../src/core/boot/boot-result.ts'
import { FwbuildError } from '../../../src/core/errors.ts'
import type { StepEvent } from '../../../src/core/events.ts'
import { sha256File } from '../../../src/effects/files.ts'
import { convertImage } from '../../../src/effects/qemu-img.ts'
import { proveBoot, type BootProofOptions } from '../../../src/pipeline/boot-image.ts'
import {
  makeBootDisk,
  needBootDisk,
  type GuestBehaviour,
  type KernelFlavour,
} from '../../helpers/boot-disk.ts'
import { cli } from '../../helpers/cli.ts'
import { sessionUser } from '../../helpers/host-session.ts'
import { needFile, needProgram, testWith } from '../../helpers/need.ts'

const needs = [needProgram('qemu-system-x86_64'), needBootDisk()]
const needOvmf = needFile('/usr/share/OVMF/OVMF_CODE_4M.fd')

let directory = ''
const disks = new Map<KernelFlavour, ReturnType<typeof makeBootDisk>>()

test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fwbuild-boot-test-'))
})
test.after.always(() => rm(directory, { recursive: true, force: true }))

/** Path of an image whose guest behaves so; made at the first use. */
async function imageOf(behaviour: GuestBehaviour, flavour: KernelFlavour = 'cloud-amd64'): Promise<string> {
  let disk = disks.get(flavour)
  if (disk === undefined) {
    disk = mkdtemp(join(directory, 'disk-')).then((path) => makeBootDisk(path, flavour))
    disks.set(flavour, disk)
  }
  const path = join(directory, `${behaviour}-${flavour}.img`)
  if (!existsSync(path)) await (await disk)(path, behaviour)
  return path
}

function prove(imagePath: string, options: Partial<BootProofOptions> = {}): Promise<BootResult> {
  return proveBoot({
    imagePath,
    format: 'raw',
    firmware: 'bios',
    hypervisors: ['kvm'],
    share9p: false,
    logPath: join(directory, 'serial.log'),
    report: () => {},
    step: 'boot',
    as: sessionUser,
    ...options,
  })
}

const failedChecks = (result: BootResult): readonly string[] =>
  result.checks.filter(({ status }) => status === 'failed').map(({ name, detail }) => `${name}: ${detail}`)

/** Command lines of QEMU processes that use our files. */
async function ourQemus(): Promise<readonly string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    // Images are handed over as open files, which the command line does not name.
    if (line.includes('qemu-system') && (await openFiles(pid)).some((file) => file.startsWith(directory)))
      found.push(pid)
  }
  return found
}

async function openFiles(pid: string): Promise<readonly string[]> {
  const names = await readdir(`/proc/${pid}/fd`).catch((): string[] => [])
  return Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')))
}

testWith(needs, 'a good image passes by BIOS, is not changed, and QEMU is gone', async (t) => {
  const image = await imageOf('good')
  const before = await sha256File(image)
  const events: StepEvent[] = []
  const result = await prove(image, {
    hypervisors: ['kvm', 'vmware', 'hyperv'],
    report: (event) => events.push(event),
  })
  t.deepEqual(failedChecks(result), [])
  t.is(result.status, 'passed')
  t.is(await sha256File(image), before)
  t.deepEqual(await ourQemus(), [])
  const log = await readFile(result.serialLog, 'utf8')
  t.regex(log, /Please press Enter/)
  t.regex(log, /reboot: Power down/)
  t.is(result.checks.find(({ name }) => name === 'hyperv-drivers')?.status, 'not-run')
  t.true(events.some((event) => event.type === 'progress' && event.progress.item === 'vmware-drivers'))
})

testWith(
  [...needs, needOvmf, needProgram('qemu-img')],
  'vhdx by UEFI and qcow2 by BIOS, each in its own format',
  async (t) => {
    const image = await imageOf('good')
    for (const [format, firmware] of [
      ['vhdx', 'uefi'],
      ['qcow2', 'bios'],
    ] as const) {
      const converted = join(directory, `good.${format}`)
      await convertImage(image, format, converted)
      const before = await sha256File(converted)
      const result = await prove(converted, { format, firmware })
      t.deepEqual(failedChecks(result), [])
      t.is(result.firmware, firmware)
      t.is(await sha256File(converted), before)
    }
  },
)

testWith(needs, 'a kernel without 9p fails the share check at once, and only that', async (t) => {
  const result = await prove(await imageOf('good'), { share9p: true })
  t.is(result.status, 'failed')
  t.is(failedChecks(result).length, 1)
  t.regex(failedChecks(result)[0] ?? '', /^share-hostshare: .*no 9p file system/)
})

testWith(needs, 'files go both ways through a 9p share, mounted by the proof or by the image', async (t) => {
  for (const [behaviour, how] of [
    ['good', 'mounted by hand, read and written'],
    ['mounts-share', 'mounted by the image, read and written'],
  ] as const) {
    const result = await prove(await imageOf(behaviour, 'amd64'), { share9p: true })
    t.deepEqual(failedChecks(result), [])
    const detailOf = (name: string): string | undefined =>
      result.checks.find((check) => check.name === name)?.detail
    t.is(detailOf('share-hostshare'), how)
    t.is(detailOf('share-hostshare-on-host'), "the guest's file has arrived on the host")
  }
})

testWith(needs, 'KVM that is a decoy or absent is given up for TCG', async (t) => {
  // Where KVM is real it has to do.
  const result = await prove(await imageOf('good'), { accelerators: ['kvm', 'tcg'] })
  t.deepEqual(failedChecks(result), [])
  t.log(result.accel)
})

testWith(needs, 'a panic fails with its own words', async (t) => {
  const result = await prove(await imageOf('panic'))
  t.is(result.status, 'failed')
  t.regex(failedChecks(result)[0] ?? '', /console: the kernel panicked: Kernel panic - not syncing/)
  t.true(result.durationMs < 60_000)
})

testWith(needs, 'root’s own image is booted by a QEMU that is not root', async (t) => {
  const image = join(directory, 'closed.img')
  await copyFile(await imageOf('panic'), image)
  await chmod(image, 0o600)
  const users = new Set<string>()
  const looking = setInterval(() => {
    void ourQemus().then((pids) => pids.forEach((pid) => users.add(userOf(pid))))
  }, 100)
  const result = await prove(image).finally(() => clearInterval(looking))
  t.regex(failedChecks(result)[0] ?? '', /the kernel panicked/)
  users.delete('')
  t.deepEqual([...users], [`${sessionUser.uid} ${sessionUser.gid}`])
})

/** User and group id of a process; nothing where it has ended. */
function userOf(pid: string): string {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return `${/^Uid:\s(\d+)/m.exec(status)?.[1]} ${/^Gid:\s(\d+)/m.exec(status)?.[1]}`
  } catch {
    return ''
  }
}

testWith(needs, 'a guest that hangs fails at the time limit with its last line', async (t) => {
  const result = await prove(await imageOf('hang'), { limits: { consoleMs: 60_000 } })
  t.deepEqual(failedChecks(result), ['console: no console after 60 s; last line: waiting for nothing'])
  t.deepEqual(await ourQemus(), [])
})

testWith(needs, 'a guest without a console and an empty disk stay silent and fail', async (t) => {
  const empty = join(directory, 'empty.img')
  await writeFile(empty, '')
  await truncate(empty, 8 << 20)
  const limits = { silenceMs: 6000, consoleMs: 30_000 }
  t.deepEqual(failedChecks(await prove(empty, { limits })), ['console: no output on the serial line for 6 s'])
  const silent = await prove(await imageOf('silent'), { limits })
  t.regex(failedChecks(silent)[0] ?? '', /console: no (output on the serial line|console after)/)
})

testWith([...needs, needOvmf], 'UEFI firmware that finds no loader says so', async (t) => {
  const empty = join(directory, 'empty-uefi.img')
  await writeFile(empty, '')
  await truncate(empty, 8 << 20)
  const result = await prove(empty, { firmware: 'uefi' })
  t.regex(failedChecks(result)[0] ?? '', /firmware found nothing to boot/)
})

testWith(needs, 'a network that never comes up is named, and the rest still looked at', async (t) => {
  const result = await prove(await imageOf('no-network'), { limits: { retryMs: 6000 } })
  t.regex(failedChecks(result)[0] ?? '', /^network: /)
})

testWith(needs, 'a cut image fails', async (t) => {
  const cut = join(directory, 'cut.img')
  await copyFile(await imageOf('good'), cut)
  // The second partition, with the root file system, is gone.
  await truncate(cut, 49 << 20)
  const result = await prove(cut, { limits: { consoleMs: 20_000 } })
  t.is(result.status, 'failed')
})

testWith(
  [...needs, needProgram('qemu-img')],
  "an image that QEMU cannot open fails with QEMU's words",
  async (t) => {
    const broken = join(directory, 'broken.vhdx')
    await convertImage(await imageOf('good'), 'vhdx', broken)
    await truncate(broken, 1 << 20)
    const result = await prove(broken, { format: 'vhdx' })
    t.regex(failedChecks(result)[0] ?? '', /QEMU ended with exit code 1: .*vhdx/i)
  },
)

test('without OVMF the message names the package', async (t) => {
  const error = await t.throwsAsync(
    prove('/nowhere.img', {
      firmware: 'uefi',
      ovmf: [{ codePath: '/nowhere/C.fd', varsPath: '/nowhere/V.fd' }],
    }),
    { instanceOf: FwbuildError },
  )
  t.is(error.code, 'E_OVMF_MISSING')
  t.is(error.exitCode, 3)
  t.regex(error.hint ?? '', /apt-get install ovmf/)
})

testWith(needs, 'an abort in mid-boot ends with 130 and leaves no QEMU', async (t) => {
  const controller = new AbortController()
  const running = prove(await imageOf('hang'), { signal: controller.signal })
  while ((await ourQemus()).length === 0) await sleep(100)
  await sleep(1500)
  controller.abort()
  const error = await t.throwsAsync(running, { instanceOf: FwbuildError })
  t.is(error.exitCode, 130)
  t.deepEqual(await ourQemus(), [])
})

testWith(needs, 'QEMU dies with a killed fwbuild', async (t) => {
  const image = await imageOf('hang')
  const child = spawn(process.execPath, ['dist/src/cli.js', 'verify', image, '--output', directory], {
    stdio: 'ignore',
    // What a killed process cannot remove goes with the test's directory.
    env: { ...process.env, TMPDIR: directory },
  })
  while ((await ourQemus()).length === 0) await sleep(100)
  child.kill('SIGKILL')
  await sleep(1000)
  t.deepEqual(await ourQemus(), [])
})

testWith(
  [...needs, needOvmf],
  'fwbuild verify: a packed image with both firmwares, JSON and JUnit',
  async (t) => {
    const image = join(directory, 'openwrt-mini-x86-64-generic-ext4-combined-efi.img.gz')
    const packed = gzipSync(await readFile(await imageOf('good')), { level: 1 })
    await writeFile(image, Buffer.concat([packed, Buffer.from('{"metadata_version":"1.1"}')]))
    const junit = join(directory, 'report.xml')
    const result = await cli(['verify', image, '--json', '--junit', junit, '--output', directory])
    t.is(result.exitCode, 0, result.stderr)
    const document = JSON.parse(result.stdout) as { status: string; boots: readonly BootResult[] }
    t.is(document.status, 'passed')
    t.deepEqual(
      document.boots.map(({ firmware, status }) => [firmware, status]),
      [
        ['bios', 'passed'],
        ['uefi', 'passed'],
      ],
    )
    t.regex(await readFile(junit, 'utf8'), /failures="0"/)
    t.true((await stat(document.boots[0]?.serialLog ?? '')).size > 0)
  },
)

testWith(needs, 'fwbuild verify: exit 4 names the check and the log', async (t) => {
  const result = await cli(['verify', await imageOf('panic'), '--output', directory])
  t.is(result.exitCode, 4)
  t.regex(result.stdout, /bios \((kvm|tcg), [\d.]+ s\): failed\n {2}failed {3}console/)
  t.regex(result.stderr, /panic-cloud-amd64\.img did not prove itself: bios: console: the kernel panicked/)
  t.regex(result.stderr, /Serial log: .*panic-cloud-amd64\.img-bios\.log/)
})

test('fwbuild verify: what is wrong with the command line is exit 2, with a damaged file 3', async (t) => {
  const wrong: readonly (readonly [string[], RegExp])[] = [
    [['verify'], /missing required argument/],
    [['verify', '/nowhere/a.img'], /no such file \[E_IMAGE_MISSING\]/],
    [['verify', '/etc/hostname'], /extension tells no image format/],
    [['verify', 'a.img', '--hv', 'kvm,bhyve'], /bhyve: not one of kvm, vmware, hyperv, xen/],
    [['verify', 'a.img', '--firmware', 'coreboot'], /coreboot: not one of bios, uefi/],
  ]
  for (const [args, message] of wrong) {
    const result = await cli(args)
    t.is(result.exitCode, 2, args.join(' '))
    t.regex(result.stderr, message)
  }
  const damaged = join(directory, 'damaged.img.gz')
  await writeFile(damaged, gzipSync(Buffer.alloc(1 << 20, 'x')).subarray(0, 500))
  const result = await cli(['verify', damaged, '--output', directory])
  t.is(result.exitCode, 3)
  t.regex(result.stderr, /damaged.img.gz cannot be unpacked: it ends early/)
})
