import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { ExecutionContext } from 'ava'
import {
  bootSettingsControl,
  bootSettingsFiles,
  bootSettingsScripts,
} from '../../../src/core/host/boot-settings.ts'
import { repositorySource } from '../../../src/core/host/apt-repository.ts'
import { sha256File } from '../../../src/effects/files.ts'
import { runProcess } from '../../../src/effects/process.ts'
import { areaOf } from '../../../src/effects/beneath/area.ts'
import { makeAptFolder } from '../../../src/pipeline/host-kernel/apt-folder.ts'
import { buildDeb, stageFiles } from '../../../src/pipeline/host-kernel/deb-package.ts'
import { hostSession, never, sessionUser } from '../../helpers/host-session.ts'
import { needProgram, testWith } from '../../helpers/need.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

const settings = {
  cpuVendor: 'intel',
  overrideParameters: ['pcie_acs_override=downstream'],
  passthrough: [{ bdf: '0000:01:00.0', id: '8086:10d3', pciClass: '0x020000', modules: ['e1000e'] }],
  kernelRelease: '9.9.9-fwbuild-test',
} as const
const own = { version: '9.9.9-1', maintainer: 'fwbuild <root@localhost>' }

const files = bootSettingsFiles(settings)

async function settingsDeb(
  t: ExecutionContext,
  work: string,
  order = files,
  folderMode = 0o755,
): Promise<string> {
  const session = await hostSession(t, work)
  const stageDir = join(work, 'stage')
  const area = areaOf(work, sessionUser)
  await stageFiles(area, stageDir, order)
  await chmod(join(stageDir, 'etc'), folderMode)
  return buildDeb(session, {
    area,
    stageDir,
    outDir: join(work, 'out'),
    control: { ...bootSettingsControl(settings, own), depends: [] },
    scripts: bootSettingsScripts(settings),
    epoch: 1_767_225_600,
    signal: never,
    line: (text) => t.log(text),
  })
}

const needs = [needProgram('dpkg-deb'), needProgram('dpkg')]

testWith(
  needs,
  'a package is the same whatever order, modes of folders and moment its files were written in',
  async (t) => {
    const work = await temporaryDirectory(t)
    const first = await settingsDeb(t, join(work, 'a'))
    const second = await settingsDeb(t, join(work, 'b'), files.toReversed(), 0o700)
    t.is(await sha256File(first), await sha256File(second))
    const listed = (await runProcess(['dpkg-deb', '-c', first])).stdout
      .split('\n')
      .filter((line) => line !== '')
    t.true(
      listed.every((line) => line.includes(' root/root ') && line.includes('2026-01-01')),
      listed.join('\n'),
    )
  },
)

testWith(needs, 'dpkg takes the settings, and remove alone takes all of them away', async (t) => {
  const work = await temporaryDirectory(t)
  const deb = await settingsDeb(t, join(work, 'build'))
  const root = join(work, 'root')
  const stubs = join(work, 'stubs')
  await mkdir(join(root, 'var/lib/dpkg/info'), { recursive: true })
  await mkdir(stubs)
  await writeFile(join(root, 'var/lib/dpkg/status'), '')
  const called = join(work, 'called')
  for (const name of ['update-grub', 'update-initramfs']) {
    await writeFile(join(stubs, name), `#!/bin/sh\necho ${name} "$@" >>${called}\n`)
    await chmod(join(stubs, name), 0o755)
  }
  const dpkg = async (...argv: readonly string[]): Promise<void> => {
    const options = [
      '--force-not-root',
      '--force-script-chrootless',
      `--root=${root}`,
      `--log=${join(work, 'dpkg.log')}`,
    ]
    const env = { ...process.env, PATH: `${stubs}:${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }
    const { exitCode, stderr } = await runProcess(['dpkg', ...options, ...argv], { env })
    t.is(exitCode, 0, stderr)
  }
  await dpkg('-i', deb)
  for (const { path } of files) t.true(existsSync(join(root, path)), path)
  const conffiles = await runProcess(['dpkg-deb', '-I', deb, 'conffiles'])
  t.not(conffiles.exitCode, 0, 'nothing is a conffile')
  await dpkg('--remove', 'fwbuild-host-settings')
  t.deepEqual(
    (await readdir(root, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('/var/lib/dpkg'))
      .map(({ name }) => name),
    [],
  )
  t.false(existsSync(join(root, 'etc/default/grub.d')))
})

testWith(
  [...needs, needProgram('apt-ftparchive'), needProgram('gpg'), needProgram('apt-get')],
  'APT takes packages from the folder by its signature, and from nowhere else',
  async (t) => {
    t.timeout(5 * 60_000)
    const work = await temporaryDirectory(t)
    const deb = await settingsDeb(t, join(work, 'build'))
    const session = await hostSession(t, work)
    const dir = join(work, 'apt')
    const keyDir = join(work, 'keys')
    const make = (): Promise<string> =>
      makeAptFolder((_mounts, body) => body(session), {
        debs: [deb],
        copy: copyFile,
        dir,
        usedFrom: dir,
        keyDir,
        epoch: 1_767_225_600,
        user: sessionUser,
        signal: never,
        line: (text) => t.log(text),
      })
    await make()
    const key = await sha256File(join(dir, 'fwbuild-archive-keyring.gpg'))
    await make()
    t.is(await sha256File(join(dir, 'fwbuild-archive-keyring.gpg')), key, 'the key stays')
    t.is((await stat(keyDir)).mode & 0o777, 0o700)
    t.deepEqual((await readdir(dir)).sort(), [
      'InRelease',
      'Packages',
      'Packages.gz',
      'Release',
      'Release.gpg',
      'fwbuild-archive-keyring.gpg',
      'fwbuild.sources',
      'pool',
    ])
    const apt = await privateApt(work, dir)
    const updated = await apt('update')
    t.is(updated.exitCode, 0, updated.stderr)
    t.notRegex(updated.stderr, /^[WE]:/m)
    const got = await apt('install', '-y', '--download-only', 'fwbuild-host-settings')
    t.is(got.exitCode, 0, got.stderr)
    t.true(got.stdout.includes('fwbuild-host-settings'), got.stdout)

    await writeFile(join(dir, 'Packages'), 'Package: other\n')
    await writeFile(join(dir, 'Packages.gz'), '')
    t.not(
      (await (await privateApt(join(work, 'again'), dir))('update')).exitCode,
      0,
      'a changed index is refused',
    )
    t.true(existsSync(join(dir, 'pool', basename(deb))))
  },
)

type Apt = (...argv: readonly string[]) => Promise<{ exitCode: number; stdout: string; stderr: string }>

async function privateApt(work: string, folder: string): Promise<Apt> {
  const root = join(work, 'root')
  for (const path of ['lists/partial', 'cache/archives/partial', 'etc'])
    await mkdir(join(root, path), { recursive: true })
  await writeFile(join(root, 'status'), '')
  const keyring = join(folder, 'fwbuild-archive-keyring.gpg')
  await writeFile(join(root, 'etc/fwbuild.sources'), repositorySource({ folder, keyring }))
  const settings = {
    'Dir::State': root,
    'Dir::State::lists': join(root, 'lists'),
    'Dir::State::status': join(root, 'status'),
    'Dir::Cache': join(root, 'cache'),
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(root, 'etc'),
    'APT::Sandbox::User': '',
    'APT::Architecture': 'amd64',
    'Debug::NoLocking': 'true',
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  return (...argv) => runProcess(['apt-get', ...options, ...argv], { env: { ...process.env, LC_ALL: 'C' } })
}
