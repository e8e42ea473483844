import { existsSync } from 'node:fs'
import { chmod, copyFile, cp, mkdir, readdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import test, { type ExecutionContext, type Implementation } from 'ava'
import { areaOf } from '../../src/effects/beneath/area.ts'
import {
  bootParameters,
  bootSettingsControl,
  bootSettingsFiles,
  bootSettingsScripts,
  settingsPackage,
  type BootSettings,
} from '../../src/core/host/boot-settings.ts'
import type { MaintainerScripts } from '../../src/core/host/deb-control.ts'
import { proofPassthrough } from '../../src/core/host/install-proof.ts'
import { installScript } from '../../src/core/host/install-script.ts'
import { readAptSettings } from '../../src/effects/apt-settings.ts'
import { sha256File } from '../../src/effects/files.ts'
import { runProcess } from '../../src/effects/process.ts'
import { buildDeb, stageFiles } from '../../src/pipeline/host-kernel/deb-package.ts'
import { proveInstall } from '../../src/pipeline/host-kernel/prove-install.ts'
import { hostSession, never, sessionUser } from '../helpers/host-session.ts'
import { needProgram, testWith } from '../helpers/need.ts'
import { temporaryDirectory } from '../helpers/temporary.ts'

const needs = [
  needProgram('debootstrap'),
  needProgram('qemu-system-x86_64'),
  needProgram('depmod'),
  { name: 'root (for debootstrap)', present: process.getuid?.() === 0 },
]

/** Modules that are enough for the machine of the proof; all of them would only make its initramfs slow. */
const kept =
  /\/(?:ext4|jbd2|mbcache|crc16|crc32c\w*|libcrc32c|crct10dif\w*|virtio\w*|vfio\w*|irqbypass)\.ko(?:\.xz)?$/

const hooks = (release: string, folder: string): readonly string[] => [
  'sh',
  '-c',
  `DEB_MAINT_PARAMS= INITRD=Yes run-parts --arg=${release} --arg=/boot/vmlinuz-${release} /etc/kernel/${folder}`,
]

/** Eight boots under emulation: half an hour on a machine with other work, too long for every run. */
const wanted = process.env['FWBUILD_INSTALL_PROOF'] === '1'

const proveIt: Implementation<[]> = async (t) => {
  t.timeout(90 * 60_000)
  const work = await temporaryDirectory(t)
  const release = await debianKernel(work)
  const settings: BootSettings = {
    cpuVendor: 'intel',
    overrideParameters: ['pcie_acs_override=downstream,multifunction'],
    passthrough: proofPassthrough,
    kernelRelease: release,
  }
  const proof = await proveInstall({
    folder: await folder(t, work, settings),
    release,
    parameters: bootParameters(settings),
    vfioIds: ['8086:10d3'],
    zfs: false,
    cpuVendor: 'intel',
    suite: 'bookworm',
    aptSettings: await readAptSettings(never),
    cacheDir: join(work, 'cache'),
    logDir: join(work, 'logs'),
    signal: never,
    report: () => {},
    step: 'boot',
    limits: { silenceMs: 300_000, overallMs: 2_400_000 },
  })
  t.is(proof.status, 'passed', JSON.stringify(proof, undefined, 1))
  t.regex(proof.previous ?? '', /cloud-amd64$/)
  t.true(proof.logs.every((log) => existsSync(log)))
}

const title = 'packages go into a Debian that boots by its own GRUB, and out again'
if (wanted) testWith(needs, title, proveIt)
else test.skip(`${title} (asked for with FWBUILD_INSTALL_PROOF=1)`, proveIt)

/** Debian's ordinary kernel, unpacked into `image` with few of its modules: another than the system's own. */
async function debianKernel(work: string): Promise<string> {
  const run = async (argv: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await runProcess(argv, { cwd: work })
    if (exitCode !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`)
    return stdout
  }
  const depends = await run(['apt-cache', 'depends', 'linux-image-amd64'])
  const name = /Depends: (linux-image-\S+-amd64)/.exec(depends)?.[1] ?? ''
  await run(['apt-get', 'download', name])
  const deb = (await readdir(work)).find((file) => file.endsWith('.deb')) ?? ''
  await run(['dpkg-deb', '-x', deb, 'unpacked'])
  const release = name.replace('linux-image-', '')
  const modules = join('lib/modules', release)
  await cp(join(work, 'unpacked/boot'), join(work, 'image/boot'), { recursive: true })
  for (const path of await readdir(join(work, 'unpacked', modules), { recursive: true })) {
    if (!kept.test(`/${path}`) && !/^modules\.(?:order|builtin)/.test(path)) continue
    const target = join(work, 'image', modules, path)
    await mkdir(join(target, '..'), { recursive: true })
    await copyFile(join(work, 'unpacked', modules, path), target)
  }
  await run(['depmod', '-b', join(work, 'image'), release])
  return release
}

async function folder(t: ExecutionContext, work: string, settings: BootSettings): Promise<string> {
  const release = settings.kernelRelease
  const session = await hostSession(t, join(work, 'build'))
  const outDir = join(work, 'build/out')
  const area = areaOf(join(work, 'build'), sessionUser)
  const common = { area, outDir, epoch: 1_767_225_600, signal: never, line: () => {} }
  const own = { version: '1', maintainer: 'fwbuild <root@localhost>' }
  const imageStage = join(work, 'build/image')
  await cp(join(work, 'image'), imageStage, { recursive: true })
  await area.give(imageStage)
  const scripts: MaintainerScripts = {
    postinst: [{ on: ['configure'], argv: hooks(release, 'postinst.d') }],
    postrm: [{ on: ['remove'], argv: hooks(release, 'postrm.d') }],
  }
  const names = [`linux-image-${release}`, settingsPackage]
  const image = await buildDeb(session, {
    ...common,
    stageDir: imageStage,
    control: { ...own, name: names[0] ?? '', synopsis: 'a kernel', description: ['For a test.'] },
    scripts,
  })
  const settingsStage = join(work, 'build/settings')
  await stageFiles(area, settingsStage, bootSettingsFiles(settings))
  const boot = await buildDeb(session, {
    ...common,
    stageDir: settingsStage,
    control: bootSettingsControl(settings, own),
    scripts: bootSettingsScripts(settings),
  })
  const packages = [image, boot].map((path, index) => ({ name: names[index] ?? '', file: basename(path) }))
  const sums = [image, boot].map(async (path) => `${await sha256File(path)}  ${basename(path)}\n`)
  await writeFile(join(outDir, 'sha256sums'), (await Promise.all(sums)).join(''))
  await writeFile(join(outDir, 'install.sh'), installScript({ kernelRelease: release, packages }))
  await chmod(join(outDir, 'install.sh'), 0o755)
  return outDir
}
