import type { Accelerator, CheckResult, CheckStatus } from '../boot/boot-result.ts'
import { sayFunction } from '../boot/guest-report.ts'
import type { SettingsDevice } from './boot-settings.ts'
import { networkCardId } from './iommu-topology.ts'

/** Verdict of the packages installed into a Debian system that boots by its own GRUB. */
export interface InstallProof {
  readonly status: CheckStatus
  /** `uname -r` of the kernel that was there before; null where nothing was booted. */
  readonly previous: string | null
  readonly accel: Accelerator | null
  readonly checks: readonly CheckResult[]
  readonly durationMs: number
  /** Serial logs, one a boot. */
  readonly logs: readonly string[]
}

export interface InstallProofPlan {
  /** Of the kernel that is installed. */
  readonly release: string
  /** Words that its command line must hold. */
  readonly parameters: readonly string[]
  /** `vvvv:dddd` that vfio-pci has to have. */
  readonly vfioIds: readonly string[]
  readonly zfs: boolean
}

/** A start of the machine: what its disk boots is GRUB's choice, the script then looks and acts. */
export interface InstallBoot {
  readonly name: string
  readonly title: string
  readonly checks: readonly string[]
  readonly script: string
}

/** Where the guest sees the packages. */
export const packageMount = '/mnt'

/** Disks of the machine in their order. */
const disks = { packages: '/dev/vdb', script: '/dev/vdc' } as const

/**
 * First process of the system, in the place of an init system: no service is needed to see what was booted, and
 * under emulation each costs time.
 */
export const proofInit = `#!/bin/sh
# Made by fwbuild for its proof: does what the third disk says, and ends.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C
exec </dev/null >/dev/console 2>&1
mount -o remount,rw /
mount -t tmpfs tmpfs /tmp
[ ! -e ${disks.packages} ] || mount -t ext4 -o ro ${disks.packages} ${packageMount}
tr -d '\\0' <${disks.script} >/tmp/script
sh /tmp/script
sync
mount -o remount,ro /
sync
${sayFunction}
say end
while :; do sleep 60; done
`
export const proofInitPath = '/usr/lib/fwbuild-proof/init'

/** Settings of the machine that make it short of words and quick; the rest is as Debian has it. */
export const proofMachineFiles: readonly {
  readonly path: string
  readonly content: string
  readonly mode: number
}[] = [
  { path: proofInitPath, content: proofInit, mode: 0o755 },
  {
    path: '/etc/default/grub.d/10-proof-machine.cfg',
    content: [
      'GRUB_TIMEOUT=1',
      'GRUB_CMDLINE_LINUX_DEFAULT=""',
      // A panic ends QEMU; an emulated timer on a busy machine is slow, which the kernel would panic about.
      `GRUB_CMDLINE_LINUX="console=ttyS0,115200 panic=-1 no_timer_check init=${proofInitPath}"`,
      'GRUB_TERMINAL=serial',
      'GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"',
      '',
    ].join('\n'),
    mode: 0o644,
  },
  // zstd's highest level takes minutes under emulation.
  { path: '/etc/initramfs-tools/conf.d/proof-machine', content: 'COMPRESS=gzip\n', mode: 0o644 },
  { path: '/etc/fstab', content: '', mode: 0o644 },
]

const head = `${sayFunction}
# check NAME FUNCTION: the last line that it prints is the detail
check() {
  if "$2" >/tmp/detail 2>&1; then verdict=passed; else verdict=failed; fi
  cat /tmp/detail
  say "$verdict $1 $(tail -n 1 /tmp/detail)"
}
release_is() {
  echo "$(uname -r)"
  [ "$(uname -r)" = "$1" ]
}
snapshot() {
  find /etc /boot /usr/share/initramfs-tools /var/lib/fwbuild-host-kernel -xdev -type f \\
    ! -name 'initrd.img-*' ! -name grubenv -exec sha256sum {} + 2>/dev/null | sort -k 2
  dpkg-query -W
}
`

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ')

/** The system puts GRUB on its own disk; started by QEMU itself, once. */
export const prepareBoot: InstallBoot = {
  name: 'prepare',
  title: 'GRUB goes to its disk',
  checks: ['grub-install'],
  script: `${head}
grub() { grub-install --target=i386-pc /dev/vda && update-grub; }
check grub-install grub
`,
}

/** What is done to the machine and looked at, boot by boot. */
export function installBoots(plan: InstallProofPlan): readonly InstallBoot[] {
  const { release, parameters, vfioIds, zfs } = plan
  const install = `${packageMount}/install.sh`
  return [
    {
      name: 'install',
      title: 'the packages are installed',
      checks: ['own-grub', 'install'],
      script: `${head}
own() { tr ' ' '\\n' </proc/cmdline | grep '^BOOT_IMAGE=' && uname -r >/var/tmp/previous && cat /var/tmp/previous; }
put() {
  sh ${install} >/tmp/said && cat /tmp/said && dpkg --audit &&
  entry=$(sed -n "s/^ *grub-reboot '\\(.*\\)' && reboot/\\1/p" /tmp/said) && [ -n "$entry" ] &&
  grub-reboot "$entry" && echo "for one boot: $entry"
}
check own-grub own
snapshot >/var/tmp/before
check install put
`,
    },
    {
      name: 'once',
      title: 'the new kernel, once',
      checks: [
        'boots-once',
        'kernel-parameters',
        ...(vfioIds.length === 0 ? [] : ['vfio-pci-bind']),
        ...(zfs ? ['zfs-loads'] : []),
      ],
      script: `${head}
new() { release_is '${release}'; }
parameters() {
  cat /proc/cmdline
  for word in ${quoted(parameters)}; do
    tr ' ' '\\n' </proc/cmdline | grep -qxF -e "$word" || { echo "$word is missing"; return 1; }
  done
}
vfio() {
  count=0
  for device in /sys/bus/pci/devices/*; do
    id=$(cat "$device/vendor" "$device/device" | tr -d '\\n' | sed 's/0x//; s/0x/:/')
    case " ${vfioIds.join(' ')} " in
    *" $id "*) ;;
    *) continue ;;
    esac
    driver=$(basename "$(readlink "$device/driver")")
    echo "\${device##*/} $id $driver"
    [ "$driver" = vfio-pci ] || return 1
    count=$((count + 1))
  done
  echo "vfio-pci has $count functions, in groups:" $(ls /dev/vfio)
  [ $count -gt 0 ]
}
zfs() { modprobe zfs && echo "zfs $(cat /sys/module/zfs/version)"; }
check boots-once new
check kernel-parameters parameters
${vfioIds.length === 0 ? '' : 'check vfio-pci-bind vfio'}
${zfs ? 'check zfs-loads zfs' : ''}
`,
    },
    {
      name: 'fallback',
      title: 'the previous kernel is still the default',
      checks: ['fallback-default', 'make-default'],
      script: `${head}
old() { release_is "$(cat /var/tmp/previous)"; }
default() { sh ${install} --make-default; }
check fallback-default old
check make-default default
`,
    },
    {
      name: 'default',
      title: 'the new kernel by default',
      checks: ['boots-by-default', 'undo'],
      script: `${head}
new() { release_is '${release}'; }
back() { sh ${install} --undo; }
check boots-by-default new
check undo back
`,
    },
    {
      name: 'undone',
      title: 'as before',
      checks: ['boots-as-before', 'nothing-left'],
      script: `${head}
old() { release_is "$(cat /var/tmp/previous)"; }
left() {
  snapshot >/var/tmp/after
  diff /var/tmp/before /var/tmp/after && [ ! -e '/lib/modules/${release}' ] && echo 'files, menu and packages are those from before'
}
check boots-as-before old
check nothing-left left
`,
    },
  ]
}

/**
 * Verdicts of one boot from what the guest told.
 * @param failure why it did not come to its end
 */
export function judgeInstallBoot(
  boot: InstallBoot,
  report: readonly string[],
  failure: string | undefined,
): readonly CheckResult[] {
  return boot.checks.map((name) => {
    const told = report
      .map((line) => /^(passed|failed) (\S+) ?(.*)$/.exec(line))
      .find((match) => match?.[2] === name)
    if (told === null || told === undefined)
      return { name, status: 'failed', detail: failure ?? 'the guest said nothing of it' }
    return { name, status: told[1] === 'passed' ? 'passed' : 'failed', detail: told[3] ?? '' }
  })
}

/** Boots that were not come to. */
export const notReached = (boots: readonly InstallBoot[]): readonly CheckResult[] =>
  boots.flatMap(({ checks }) =>
    checks.map((name) => ({ name, status: 'not-run' as const, detail: 'an earlier boot failed' })),
  )

/** Stands for the devices that a user names: the machine of the proof has only cards of this kind. */
export const proofPassthrough: readonly SettingsDevice[] = [
  '0000:01:00.0',
  '0000:01:00.1',
  '0000:02:00.0',
].map((bdf) => ({ bdf, id: networkCardId, pciClass: '0x020000', modules: ['e1000e'] }))
