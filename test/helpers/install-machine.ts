import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { runProcess, type ProcessResult } from '../../src/effects/process.ts'
import type { Need } from './need.ts'

/*
 * A machine for install.sh: this one, seen through an overlay whose upper side is in memory, with a boot set-up of
 * stubs. What the script does to it is gone with the namespaces it ran in.
 */

/** Makes GRUB's menu as 10_linux does, of the kernels that are there. */
const updateGrub = String.raw`#!/bin/sh
GRUB_DEFAULT=0
for part in /etc/default/grub /etc/default/grub.d/*.cfg; do [ ! -r "$part" ] || . "$part"; done
{
  echo "   set default=\"$GRUB_DEFAULT\""
  echo "menuentry 'Debian GNU/Linux' --class debian \$menuentry_id_option 'gnulinux-simple-UUID' {"
  echo "}"
  echo "submenu 'Advanced options for Debian GNU/Linux' \$menuentry_id_option 'gnulinux-advanced-UUID' {"
  for kernel in $(ls /boot/vmlinuz-* | sort -rV); do
    version=$(basename "$kernel" | sed s/vmlinuz-//)
    printf "\tmenuentry 'Debian GNU/Linux, with Linux %s' --class debian \$menuentry_id_option 'gnulinux-%s-advanced-UUID' {\n\t}\n" "$version" "$version"
  done
  echo "}"
} >/boot/grub/grub.cfg
`

const stubs: Readonly<Record<string, string>> = {
  'update-grub': updateGrub,
  'grub-mkconfig': '#!/bin/sh\n# reads ${sysconfdir}/default/grub.d/*.cfg\n',
  'grub-probe': '#!/bin/sh\n[ "$1" = --target=abstraction ] || echo ext2\n',
  'grub-reboot': '#!/bin/sh\n',
  'grub-editenv': '#!/bin/sh\n',
  'update-initramfs': '#!/bin/sh\n',
}

const fake = String.raw`
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs "$bench"
mkdir "$bench/upper" "$bench/work" "$bench/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$bench/upper,workdir=$bench/work" "$bench/root"
cd "$bench/root"
# APT would spend most of its time on the machine's indexes.
rm -rf var/lib/apt/lists/* var/cache/apt/*.bin etc/apt/sources.list etc/apt/sources.list.d
rm -rf .dockerenv run/.containerenv run/systemd
mount -t proc proc proc
mount -t tmpfs tmpfs sys
mount -t tmpfs tmpfs tmp
mount -t tmpfs tmpfs dev
for node in null zero full random urandom; do : >dev/$node; mount --bind /dev/$node dev/$node; done
mkdir -p boot/grub etc/grub.d etc/default packages
cp -R "$packages"/. packages
cp -R "$programs"/. usr/sbin
: >etc/grub.d/10_linux
chmod 755 etc/grub.d/10_linux
rm -rf etc/default/grub etc/default/grub.d
running=$(uname -r)
: >"boot/vmlinuz-$running"
echo 1000 >"boot/initrd.img-$running"
echo "BOOT_IMAGE=/boot/vmlinuz-$running root=UUID=0 ro quiet" >etc/fake-cmdline
mount --bind etc/fake-cmdline proc/cmdline
fake() {
  : >"var/lib/dpkg/info/$1.list"
  printf 'Package: %s\nStatus: install ok installed\nMaintainer: x\nArchitecture: all\nVersion: 1\nDescription: x\n\n' "$1" >>var/lib/dpkg/status
}
dpkg-query -W -f '${'${db:Status-Status}'}' initramfs-tools-core 2>/dev/null | grep -qx installed || fake initramfs-tools-core
for name in $installed; do fake "$name"; done
chroot . update-grub
cp "$scenario" scenario
$how env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root chroot . sh -eu /scenario
`

const head = String.raw`
running=$(uname -r)
snapshot() {
  find /etc /boot /lib/modules /var/lib/fwbuild-host-kernel -xdev -type f -exec sha256sum {} + 2>/dev/null | sort
  dpkg-query -W
}
`

export interface FakeMachine {
  /** Holds install.sh, the packages and their sums. */
  readonly packages: string
  /** Run as process 1, after the machine is set up; or below another, which makes it a chroot. */
  readonly scenario: string
  readonly installed?: readonly string[]
  readonly chroot?: boolean
}

export async function onFakeMachine(work: string, machine: FakeMachine): Promise<ProcessResult> {
  const bench = join(work, 'bench')
  const programs = join(work, 'programs')
  await mkdir(bench, { recursive: true })
  await mkdir(programs, { recursive: true })
  for (const [name, text] of Object.entries(stubs))
    await writeFile(join(programs, name), text, { mode: 0o755 })
  const scenario = join(work, 'scenario')
  await writeFile(scenario, head + machine.scenario)
  return runProcess(['unshare', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', fake], {
    env: {
      PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
      bench,
      programs,
      scenario,
      packages: machine.packages,
      installed: (machine.installed ?? []).join(' '),
      how: machine.chroot === true ? '' : 'exec',
    },
    timeoutMs: 900_000,
  })
}

/** Root that may make namespaces and overlays, on a Debian. */
export const needFakeMachine = (): Need => ({
  name: 'root with mount namespaces and overlayfs, on Debian',
  present:
    process.getuid?.() === 0 &&
    spawnSync('apt-get', ['--version']).status === 0 &&
    spawnSync('unshare', [
      '--mount',
      'sh',
      '-c',
      'mount -t tmpfs t /mnt && cd /mnt && mkdir u w r && mount -t overlay o -o lowerdir=/,upperdir=u,workdir=w r',
    ]).status === 0,
})
