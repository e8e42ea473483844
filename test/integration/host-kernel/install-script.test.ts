import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { areaOf } from '../../../src/effects/beneath/area.ts'
import type { MaintainerScripts } from '../../../src/core/host/deb-control.ts'
import { installScript } from '../../../src/core/host/install-script.ts'
import { sha256File } from '../../../src/effects/files.ts'
import { runProcess } from '../../../src/effects/process.ts'
import { buildDeb, stageFiles } from '../../../src/pipeline/host-kernel/deb-package.ts'
import { hostSession, never, sessionUser } from '../../helpers/host-session.ts'
import { needFakeMachine, onFakeMachine, type FakeMachine } from '../../helpers/install-machine.ts'
import { needProgram, testWith } from '../../helpers/need.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

const release = '9.9.9-fwbuild-test'
const settingsName = 'fwbuild-host-settings'
const pin = '/etc/default/grub.d/95-fwbuild-default.cfg'

/** What the hooks of initramfs-tools and GRUB do; slow where a test wants to kill it there. */
const scriptsOf = (kernelRelease: string): MaintainerScripts => ({
  postinst: [
    { on: ['configure'], needs: ['/slow'], argv: ['sleep', '120'] },
    { on: ['configure'], argv: ['touch', `/boot/initrd.img-${kernelRelease}`] },
    { on: ['configure'], argv: ['update-grub'] },
  ],
  postrm: [
    { on: ['remove'], argv: ['rm', '-f', `/boot/initrd.img-${kernelRelease}`] },
    { on: ['remove'], argv: ['update-grub'] },
  ],
})

interface Build {
  readonly release: string
  /** Of its files: another one is another build. */
  readonly content: string
  readonly zfs: boolean
  readonly settings?: boolean
}

/** A folder as a build leaves it, with small packages. */
async function folder(
  t: ExecutionContext,
  work: string,
  build: Build = { release, content: 'x', zfs: true },
): Promise<string> {
  const session = await hostSession(t, join(work, 'build'))
  const packages = join(work, 'packages')
  const kernel = `linux-image-${build.release}`
  const contents: Readonly<Record<string, string>> = {
    [kernel]: `/boot/vmlinuz-${build.release}`,
    ...(build.settings === true ? { [settingsName]: '/etc/fake-settings' } : {}),
    ...(build.zfs ? { [`zfs-modules-${build.release}`]: `/lib/modules/${build.release}/extra/zfs.ko` } : {}),
  }
  const debs: string[] = []
  for (const [name, path] of Object.entries(contents)) {
    const stageDir = join(work, 'build/stage')
    const area = areaOf(join(work, 'build'), sessionUser)
    await stageFiles(area, stageDir, [{ path: path.replace(/^\/lib/, '/usr/lib'), content: build.content }])
    const deb = await buildDeb(session, {
      area,
      stageDir,
      outDir: join(work, 'build/out'),
      control: {
        name,
        version: '9.9.9-1',
        maintainer: 'fwbuild <root@localhost>',
        ...(name === kernel ? {} : { depends: [kernel] }),
        ...(name.startsWith('zfs') ? { conflicts: ['zfs-dkms'] } : {}),
        synopsis: 'test',
        description: ['Test.'],
      },
      ...(name === kernel ? { scripts: scriptsOf(build.release) } : {}),
      epoch: 1_767_225_600,
      signal: never,
      line: () => {},
    })
    debs.push(deb)
  }
  await mkdir(packages)
  for (const deb of debs) await writeFile(join(packages, basename(deb)), await readFile(deb))
  const sums = await Promise.all(debs.map(async (deb) => `${await sha256File(deb)}  ${basename(deb)}\n`))
  await writeFile(join(packages, 'sha256sums'), sums.join(''))
  await writeFile(join(packages, 'install.sh'), installScript(plan(debs, build.release)), { mode: 0o755 })
  return packages
}

const plan = (debs: readonly string[], kernelRelease = release): Parameters<typeof installScript>[0] => ({
  kernelRelease,
  packages: debs.map((deb) => ({ name: basename(deb).split('_')[0] ?? '', file: basename(deb) })),
})

test('names that do not belong into a script are refused', (t) => {
  const refused = (kernelRelease: string, file: string): void => {
    t.throws(() => installScript({ kernelRelease, packages: [{ name: 'x1', file }] }), {
      code: 'E_INSTALL_NAME',
    })
  }
  refused('6.1; reboot', 'a.deb')
  refused('6.1', '../a.deb')
  refused('6.1', "a'.deb")
  refused('6.1', '-o.deb')
})

testWith([needProgram('shellcheck')], 'shellcheck has nothing to say', async (t) => {
  const work = await temporaryDirectory(t)
  const path = join(work, 'install.sh')
  await writeFile(path, installScript(plan(['/x/linux-image-1_1_amd64.deb', '/x/zfs-modules-1_1_amd64.deb'])))
  const { exitCode, stdout } = await runProcess(['shellcheck', '-s', 'sh', path])
  t.is(exitCode, 0, stdout)
})

const refusals: readonly (readonly [string, Partial<FakeMachine> & { scenario: string }, RegExp])[] = [
  ['no root', { scenario: 'as="setpriv --reuid 65534 --clear-groups"' }, /run it as root/],
  [
    'another architecture',
    { scenario: 'printf "#!/bin/sh\\necho arm64\\n" >/usr/local/bin/dpkg; chmod 755 /usr/local/bin/dpkg' },
    /for amd64/,
  ],
  ['a container', { scenario: ': >/.dockerenv' }, /a container/],
  ['a chroot', { scenario: '', chroot: true }, /a chroot/],
  ['no GRUB', { scenario: 'rm /boot/grub/grub.cfg' }, /GRUB does not boot this machine/],
  ['no update-grub', { scenario: 'rm /usr/sbin/update-grub' }, /update-grub is missing/],
  [
    'systemd-boot',
    { scenario: 'mkdir -p /boot/efi/EFI/systemd; : >/boot/efi/EFI/systemd/systemd-bootx64.efi' },
    /systemd-boot is installed/,
  ],
  ['proxmox-boot-tool', { scenario: 'echo 1234-5678 >/etc/kernel/proxmox-boot-uuids' }, /proxmox-boot-tool/],
  ['dracut', { scenario: '', installed: ['dracut'] }, /not made by initramfs-tools/],
  [
    'a kernel that GRUB does not know',
    { scenario: 'rm "/boot/vmlinuz-$running"; update-grub' },
    /has no entry for/,
  ],
  ['a kernel that GRUB did not start', { scenario: 'umount /proc/cmdline' }, /not started by GRUB/],
  [
    'a full /boot',
    {
      scenario:
        'cp -a /boot /b; mount -t tmpfs -o size=60k tmpfs /boot; cp -a /b/grub /boot; : >"/boot/vmlinuz-$running"; dd if=/dev/zero bs=1k count=40 of="/boot/initrd.img-$running" 2>/dev/null',
    },
    /\/boot has 0 MiB free/,
  ],
  [
    'Secure Boot',
    {
      scenario:
        'mkdir -p /sys/firmware/efi/efivars; printf "\\006\\000\\000\\000\\001" >/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c',
    },
    /Secure Boot is on/,
  ],
  ['zfs-dkms', { scenario: '', installed: ['zfs-dkms'] }, /zfs-dkms is installed. It would be removed/],
  [
    'a damaged package',
    { scenario: 'for deb in /packages/*.deb; do echo x >>"$deb"; done' },
    /is not what sha256sums says/,
  ],
]

testWith([needFakeMachine()], 'refuses what it does not understand, and changes nothing', async (t) => {
  t.timeout(15 * 60_000)
  const work = await temporaryDirectory(t)
  const packages = await folder(t, work)
  for (const [name, machine, said] of refusals) {
    const { exitCode, stdout, stderr } = await onFakeMachine(join(work, 'machine'), {
      ...machine,
      packages,
      scenario: `as=
${machine.scenario}
snapshot >/tmp/before
status=0
$as sh /packages/install.sh || status=$?
snapshot >/tmp/after
diff /tmp/before /tmp/after >&2 || echo changed
echo "exit $status"`,
    })
    t.is(exitCode, 0, `${name}: ${stderr}`)
    t.is(stdout, 'exit 3\n', `${name}: ${stderr}`)
    t.regex(stderr, said, name)
    t.regex(stderr, /refused, nothing was changed/, name)
  }
})

testWith([needFakeMachine()], 'looks, installs, keeps the default, changes it, and goes back', async (t) => {
  t.timeout(15 * 60_000)
  const work = await temporaryDirectory(t)
  const { stdout, stderr } = await onFakeMachine(join(work, 'machine'), {
    packages: await folder(t, work),
    scenario: `
snapshot >/tmp/before
status=0; sh /packages/install.sh --no-such 2>/dev/null || status=$?; echo "usage $status"
sh /packages/install.sh --check
snapshot | diff /tmp/before - || echo changed
for again in 1 2; do sh /packages/install.sh >/tmp/said; done
tail -n 8 /tmp/said
grep -h set.default /boot/grub/grub.cfg
cd /; sh /packages/install.sh --make-default
grep -h set.default /boot/grub/grub.cfg
sh /packages/install.sh --undo | tail -n 1
snapshot | diff /tmp/before - || echo changed
sh /packages/install.sh --undo`,
  })
  const running = (await runProcess(['uname', '-r'])).stdout.trim()
  t.deepEqual(
    stdout.trim().split('\n'),
    [
      'usage 2',
      `${release} can be installed; ${running} would stay the default.`,
      '',
      `${release} is installed. The default entry stays ${entry(running)}.`,
      'Boot it once, and the default again after that:',
      `    grub-reboot '${entry(release)}' && reboot`,
      'When it works, make it the default:',
      '    /packages/install.sh --make-default',
      'To have the machine as it was:',
      '    /packages/install.sh --undo',
      `   set default="${entry(running)}"`,
      `Note: the kernel that runs is ${running}.`,
      `${release} is the default from the next boot on.`,
      `   set default="${entry(release)}"`,
      `${release} is removed, and the machine boots as before.`,
      `Nothing of ${release} was installed by this script.`,
    ],
    stderr,
  )
})

testWith([needFakeMachine()], 'a default that a user named stays; zfs-dkms goes when told to', async (t) => {
  t.timeout(15 * 60_000)
  const work = await temporaryDirectory(t)
  const { stdout, stderr } = await onFakeMachine(join(work, 'machine'), {
    packages: await folder(t, work),
    installed: ['zfs-dkms'],
    scenario: `
echo "GRUB_DEFAULT='Windows Boot Manager'" >/etc/default/grub
sh /packages/install.sh --replace-zfs-dkms | grep GRUB_DEFAULT
[ ! -e ${pin} ] && dpkg-query -W -f '\${db:Status-Status}\\n' zfs-modules-${release}`,
  })
  t.is(
    stdout,
    `${release} is installed. Your GRUB_DEFAULT stays as it is: Windows Boot Manager.\ninstalled\n`,
    stderr,
  )
})

for (const next of ['install.sh', 'install.sh --undo'] as const) {
  testWith([needFakeMachine()], `killed while it installs, then ${next}`, async (t) => {
    t.timeout(15 * 60_000)
    const work = await temporaryDirectory(t)
    const { stdout, stderr } = await onFakeMachine(join(work, 'machine'), {
      packages: await folder(t, work),
      scenario: `
snapshot >/tmp/before
: >/slow
sh /packages/install.sh >/dev/null 2>&1 &
for wait in $(seq 2000); do [ ! -e /boot/vmlinuz-${release} ] || break; sleep 0.1; done
sleep 1
kill -9 -1 || :
wait
rm /slow
[ "$(dpkg-query -W -f '\${db:Status-Status}' linux-image-${release})" != installed ] && echo half-way
grep -h GRUB_DEFAULT ${pin} | grep -q "$running" && echo pinned
sh /packages/${next} >/tmp/said && echo done
${next === 'install.sh' ? 'sh /packages/install.sh --undo >/tmp/said && echo undone' : ''}
snapshot | diff /tmp/before - || echo changed`,
    })
    const wanted = ['half-way', 'pinned', 'done', ...(next === 'install.sh' ? ['undone'] : [])]
    t.deepEqual(stdout.trim().split('\n'), wanted, stderr)
  })
}

const entry = (version: string): string => `gnulinux-advanced-UUID>gnulinux-${version}-advanced-UUID`

/** Several builds on one machine, each in its folder below /packages. */
async function builds(
  t: ExecutionContext,
  work: string,
  each: Readonly<Record<string, Build>>,
): Promise<string> {
  const all = join(work, 'all')
  for (const [name, build] of Object.entries(each)) {
    await cp(await folder(t, join(work, name), build), join(all, name), { recursive: true })
  }
  return all
}

testWith(
  [needFakeMachine()],
  'a default by number is pinned; one that is overridden is no success',
  async (t) => {
    t.timeout(15 * 60_000)
    const work = await temporaryDirectory(t)
    const { stdout, stderr } = await onFakeMachine(join(work, 'machine'), {
      packages: await folder(t, work, { release, content: 'x', zfs: false }),
      scenario: `
snapshot >/tmp/before
for default in 'Advanced options for Debian GNU/Linux>0' 'gnulinux-advanced-UUID>0' gnulinux-advanced-UUID; do
  echo "GRUB_DEFAULT='$default'" >/etc/default/grub
  sh /packages/install.sh >/dev/null
  sed -n 's/.*set default=//p' /boot/grub/grub.cfg | sed "s/$running/RUNNING/"
  sh /packages/install.sh --undo >/dev/null
done
rm /etc/default/grub
mkdir -p /etc/default/grub.d
echo GRUB_DEFAULT=0 >/etc/default/grub.d/99-other.cfg
status=0; sh /packages/install.sh 2>/tmp/said || status=$?; echo "exit $status"
grep -c 'something sets it after' /tmp/said
[ -e /boot/vmlinuz-${release} ] || echo 'no kernel came'
sh /packages/install.sh --undo >/dev/null
rm /etc/default/grub.d/99-other.cfg; update-grub
snapshot | diff /tmp/before - || echo changed`,
    })
    const pinned = `"${entry('RUNNING')}"`
    t.deepEqual(stdout.trim().split('\n'), [pinned, pinned, pinned, 'exit 1', '1', 'no kernel came'], stderr)
  },
)

testWith([needFakeMachine()], 'one of two kernels goes, and the default stays a tried one', async (t) => {
  t.timeout(15 * 60_000)
  const work = await temporaryDirectory(t)
  const other = '9.9.10-fwbuild-test'
  const { stdout, stderr } = await onFakeMachine(join(work, 'machine'), {
    packages: await builds(t, work, {
      a: { release, content: 'a', zfs: false },
      b: { release: other, content: 'b', zfs: false },
    }),
    scenario: `
default() { sed -n 's/.*set default=//p' /boot/grub/grub.cfg | sed "s/$running/RUNNING/"; }
snapshot >/tmp/before
sh /packages/a/install.sh >/dev/null
sh /packages/b/install.sh >/dev/null
sh /packages/a/install.sh --undo >/dev/null; default
sh /packages/b/install.sh --undo >/dev/null
snapshot | diff /tmp/before - || echo changed
sh /packages/a/install.sh >/dev/null
sh /packages/a/install.sh --make-default >/dev/null
sh /packages/b/install.sh >/dev/null; default
sh /packages/a/install.sh --undo >/dev/null; default
sh /packages/b/install.sh --make-default >/dev/null
mv "/boot/vmlinuz-$running" /tmp; update-grub
status=0; sh /packages/b/install.sh --undo 2>/dev/null || status=$?; echo "exit $status"; default
mv /tmp/vmlinuz-* /boot; update-grub
sh /packages/b/install.sh --undo >/dev/null
snapshot | diff /tmp/before - || echo changed`,
  })
  const running = `"${entry('RUNNING')}"`
  t.deepEqual(
    stdout.trim().split('\n'),
    [running, `"${entry(release)}"`, running, 'exit 3', `"${entry(other)}"`],
    stderr,
  )
})

testWith([needFakeMachine()], 'the boot settings stay while the kernel that has them does', async (t) => {
  t.timeout(15 * 60_000)
  const work = await temporaryDirectory(t)
  const other = '9.9.10-fwbuild-test'
  const { stdout, stderr } = await onFakeMachine(join(work, 'machine'), {
    packages: await builds(t, work, {
      a: { release, content: 'a', zfs: false, settings: true },
      b: { release: other, content: 'b', zfs: false, settings: true },
    }),
    scenario: `
settings() { dpkg-query -W -f '\${db:Status-Status}\\n' ${settingsName} 2>/dev/null || echo none; }
snapshot >/tmp/before
sh /packages/a/install.sh >/dev/null
sh /packages/b/install.sh >/dev/null
sh /packages/a/install.sh --undo | grep -c 'is of another kernel now'; settings
sh /packages/b/install.sh --undo >/dev/null; settings
snapshot | diff /tmp/before - || echo changed`,
  })
  t.deepEqual(stdout.trim().split('\n'), ['1', 'installed', 'none'], stderr)
})

testWith([needFakeMachine()], 'another build of the same release', async (t) => {
  t.timeout(15 * 60_000)
  const work = await temporaryDirectory(t)
  const { stdout, stderr } = await onFakeMachine(join(work, 'machine'), {
    packages: await builds(t, work, {
      plain: { release, content: 'one', zfs: false },
      zfs: { release, content: 'one', zfs: true },
      rebuilt: { release, content: 'two', zfs: false },
    }),
    scenario: `
default() { sed -n 's/.*set default=//p' /boot/grub/grub.cfg | sed "s/$running/RUNNING/"; }
snapshot >/tmp/before
sh /packages/plain/install.sh >/dev/null
sh /packages/plain/install.sh --make-default >/dev/null
sh /packages/zfs/install.sh >/dev/null; default
cat /var/lib/fwbuild-host-kernel/${release}/installed
snapshot >/tmp/both
status=0; sh /packages/rebuilt/install.sh 2>/tmp/said || status=$?; echo "exit $status"
grep -c 'is the default, and another build' /tmp/said
snapshot | diff /tmp/both - || echo changed
sh /packages/rebuilt/install.sh --replace-running >/dev/null; default
cat /boot/vmlinuz-${release}; echo
dpkg-query -W -f '\${db:Status-Status}\\n' zfs-modules-${release} 2>/dev/null || echo 'no modules'
sh /packages/zfs/install.sh >/dev/null
sh /packages/plain/install.sh --undo >/dev/null
snapshot | diff /tmp/before - || echo changed
echo BOOT_IMAGE=/boot/vmlinuz-${release} >/etc/fake-cmdline
sh /packages/plain/install.sh >/dev/null 2>&1 || echo refused
echo "BOOT_IMAGE=/boot/vmlinuz-$running" >/etc/fake-cmdline
sh /packages/plain/install.sh >/dev/null
printf '#!/bin/sh\\necho ${release}\\n' >/usr/local/bin/uname; chmod 755 /usr/local/bin/uname
echo BOOT_IMAGE=/boot/vmlinuz-${release} >/etc/fake-cmdline
sh /packages/plain/install.sh >/dev/null; default
sh /packages/rebuilt/install.sh 2>&1 | grep -c 'is the kernel that runs'
cat /boot/vmlinuz-${release}; echo`,
  })
  t.deepEqual(
    stdout.trim().split('\n'),
    [
      `"${entry(release)}"`,
      `linux-image-${release}`,
      `zfs-modules-${release}`,
      'exit 3',
      '1',
      `"${entry('RUNNING')}"`,
      'two',
      'no modules',
      'refused',
      `"${entry('RUNNING')}"`,
      '1',
      'one',
    ],
    stderr,
  )
})

testWith([needFakeMachine()], 'what this release has of /boot is not asked for again', async (t) => {
  t.timeout(15 * 60_000)
  const work = await temporaryDirectory(t)
  const { stdout, stderr } = await onFakeMachine(join(work, 'machine'), {
    packages: await folder(t, work),
    scenario: `
cp -a /boot /b; mount -t tmpfs -o size=130k tmpfs /boot; cp -a /b/grub /boot; : >"/boot/vmlinuz-$running"
big() { dd if=/dev/zero bs=1k count=40 of="/boot/initrd.img-$1" 2>/dev/null; }
big "$running"
sh /packages/install.sh >/dev/null
rm "/boot/initrd.img-$running"
big ${release}
dd if=/dev/zero bs=1k count=20 of=/boot/other 2>/dev/null
sh /packages/install.sh --check >/dev/null && echo enough
mv /boot/initrd.img-${release} /boot/initrd.img-other
sh /packages/install.sh --check 2>&1 | grep -c 'MiB are needed'`,
  })
  t.is(stdout, 'enough\n1\n', stderr)
})
