import type { Accelerator, CheckResult } from '../boot/boot-result.ts'
import { sayFunction } from '../boot/guest-report.ts'
import { networkCardId } from './iommu-topology.ts'

export interface ModulesProof {
  readonly status: 'passed' | 'failed'
  readonly accel: Accelerator
  readonly checks: readonly CheckResult[]
  readonly durationMs: number
  /** Path of the serial log. */
  readonly log: string
}

/** How much of ZFS can be shown. */
export type ZfsProof = 'off' | 'module' | 'pool'

export interface ModulesProofPlan {
  /** What `uname -r` has to say. */
  readonly release: string
  /** In the order in which they are loaded. */
  readonly modules: readonly string[]
  /** Modules that the proof is about and the packages lack. */
  readonly absent: readonly string[]
  readonly zfs: ZfsProof
  /** `vvvv:dddd`, handed to vfio-pci beside the ids of the machine's own cards. */
  readonly vfioIds: readonly string[]
}

/** What the guest needs to have its devices, if the kernel does not have it built in; then what is proved. */
export const wantedModules = (
  zfs: ZfsProof,
): { readonly optional: readonly string[]; readonly required: readonly string[] } => ({
  optional: ['virtio_pci', 'virtio_blk'],
  required: [...(zfs === 'off' ? [] : ['zfs']), 'vfio_iommu_type1', 'vfio_pci'],
})

const poolChecks = ['zfs-pool-create', 'zfs-pool-write', 'zfs-pool-reimport', 'zfs-pool-healthy'] as const

/** Names of the checks, in order. */
const checkNames = [
  'kernel-release',
  'modules-load',
  'zfs-module',
  ...poolChecks,
  'vfio-pci-bind',
  'vfio-groups',
] as const
type CheckName = (typeof checkNames)[number]

/** Where the guest finds a module. */
export const modulePath = (name: string): string => `lib/proof/${name}.ko`

const pool = 'fwproof'
const poolPartition = '/dev/vda1'

/** Every check in a function of its own; its last line of output is the detail. */
const functions: Readonly<Partial<Record<CheckName, string>>> = {
  'zfs-module': `
  dmesg | sed -n 's/.*\\(ZFS: Loaded module v.*\\)/\\1/p' | tail -n 1 | grep .`,
  'zfs-pool-create': `
  zpool create -f -o cachefile=none -O compression=lz4 -m /pool ${pool} ${poolPartition} &&
  zfs create ${pool}/data && zpool list -H -o name,size,health ${pool}`,
  'zfs-pool-write': `
  dd if=/dev/urandom of=/pool/data/file bs=1M count=8 2>/dev/null &&
  sha256sum </pool/data/file >/written && sync && cut -c 1-16 /written`,
  'zfs-pool-reimport': `
  zpool export ${pool} && [ ! -e /pool/data/file ] &&
  zpool import -d ${poolPartition} -o cachefile=none ${pool} &&
  sha256sum </pool/data/file >/read && cmp /written /read && echo "read back unchanged"`,
  'zfs-pool-healthy': `
  zpool scrub -w ${pool}
  zpool status ${pool} | grep -q 'errors: No known data errors' && zpool status -x ${pool} | grep healthy
  healthy=$?; zpool status ${pool} | grep scan:; return $healthy`,
  'vfio-pci-bind': `
  bound=; other=
  for device in /sys/bus/pci/devices/*; do
    [ "$(cat $device/vendor):$(cat $device/device)" = ${hexPair(networkCardId)} ] || continue
    driver=$(readlink $device/driver)
    if [ "\${driver##*/}" = vfio-pci ]; then bound="$bound \${device##*/}"
    else other="$other \${device##*/}(\${driver##*/})"; fi
  done
  echo "bound:\${bound:- none}\${other:+; not bound:$other}"
  [ -n "$bound" ] && [ -z "$other" ]`,
  'vfio-groups': `
  found=
  for device in /sys/bus/pci/drivers/vfio-pci/*:*; do
    group=$(readlink $device/iommu_group)
    node=/dev/vfio/\${group##*/}
    if ! [ -c $node ]; then echo "no $node for \${device##*/}"; return 1; fi
    # A group can be opened once its driver is there; by one at a time.
    : <>$node || return 1
    case "$found " in *" $node "*) ;; *) found="$found $node" ;; esac
  done
  echo "opened:\${found:- none}"; [ -n "$found" ]`,
}

function hexPair(id: string): string {
  return id
    .split(':')
    .map((part) => `0x${part}`)
    .join(':')
}

/** The guest's first process. */
export function modulesScript(plan: ModulesProofPlan): string {
  const ids = [...new Set([networkCardId, ...plan.vfioIds])].join(',')
  const loads = plan.modules.map((name) => `load ${name}${name === 'vfio_pci' ? ` ids=${ids}` : ''}`)
  const checks = checkNames.filter(
    (name) => functions[name] !== undefined && notRun(plan, name) === undefined,
  )
  return `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /etc /run /tmp /var/lock
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/sbin:/usr/sbin:/bin
ln -s /proc/self/mounts /etc/mtab
${sayFunction}
# Nothing may come between the letters of a line.
dmesg -n 1
say release $(uname -r)
load() {
  module=$1; shift
  if out=$(insmod /lib/proof/$module.ko "$@" 2>&1); then say loaded $module
  else say refused $module "$(echo "$out" | tail -n 1) $(dmesg | tail -n 1)"; fi
}
check() {
  if out=$("check_$2" 2>&1); then say check $1 passed "$(echo "$out" | tail -n 1)"
  else say check $1 failed "$(echo "$out" | tr '\\n' ';')"; fi
}
${checks.map((name) => `${functionOf(name)}() {${functions[name]}\n}\n`).join('')}${loads.join('\n')}
say loads-done
${checks.map((name) => `check ${name} ${functionOf(name).slice('check_'.length)}`).join('\n')}
say end
sync
poweroff -f
`
}

const functionOf = (name: CheckName): string => `check_${name.replaceAll('-', '_')}`

/** Why a check is left out. */
function notRun(plan: ModulesProofPlan, name: CheckName): string | undefined {
  if (name === 'zfs-module' && plan.zfs === 'off') return 'ZFS was not built'
  if ((poolChecks as readonly string[]).includes(name) && plan.zfs !== 'pool') {
    return plan.zfs === 'off' ? 'ZFS was not built' : 'no zpool and zfs at hand that fit the module'
  }
  return undefined
}

/**
 * Judges what a guest told.
 * @param failure why it did not come to its end, or undefined
 */
export function judgeModules(
  plan: ModulesProofPlan,
  lines: readonly string[],
  failure: string | undefined,
): readonly CheckResult[] {
  let ended = false
  return checkNames.map((name): CheckResult => {
    const reason = notRun(plan, name)
    if (reason !== undefined) return { name, status: 'not-run', detail: reason }
    const told = ended ? undefined : resultOf(plan, lines, name)
    if (told !== undefined) return { name, ...told }
    if (ended) return { name, status: 'not-run', detail: 'the guest had ended before' }
    ended = true
    return { name, status: 'failed', detail: failure ?? 'the guest did not tell' }
  })
}

function resultOf(
  plan: ModulesProofPlan,
  lines: readonly string[],
  name: CheckName,
): Omit<CheckResult, 'name'> | undefined {
  if (name === 'kernel-release') {
    const release = valueOf(lines, 'release ')
    if (release === undefined) return undefined
    return release === plan.release
      ? { status: 'passed', detail: release }
      : { status: 'failed', detail: `${release} runs, expected ${plan.release}` }
  }
  if (name === 'modules-load') return loadResult(plan, lines)
  const text = valueOf(lines, `check ${name} `)
  if (text === undefined) return undefined
  const space = text.indexOf(' ')
  return { status: text.startsWith('passed ') ? 'passed' : 'failed', detail: text.slice(space + 1).trim() }
}

function loadResult(plan: ModulesProofPlan, lines: readonly string[]): Omit<CheckResult, 'name'> | undefined {
  if (plan.absent.length > 0) {
    return { status: 'failed', detail: `not among the kernel's modules: ${plan.absent.join(', ')}` }
  }
  const refused = lines.filter((line) => line.startsWith('refused ')).map((line) => line.slice(8))
  if (refused.length > 0) return { status: 'failed', detail: refused.join('; ') }
  if (!lines.includes('loads-done')) return undefined
  const count = plan.modules.length
  return { status: 'passed', detail: `${count} loaded, the last are ${plan.modules.slice(-3).join(', ')}` }
}

const valueOf = (lines: readonly string[], prefix: string): string | undefined =>
  lines.find((line) => line.startsWith(prefix))?.slice(prefix.length)

/** Bytes of the disk that gets the pool; ZFS takes no less than 64 MiB. */
export const poolDiskBytes = 256 * 1024 ** 2
const sectorBytes = 512
const partitionStart = 2048

/**
 * First sector of the pool's disk: one partition. On a whole disk ZFS would make its own and wait for udev
 * to show it, which this guest does not have.
 */
export function poolDiskHead(): Uint8Array {
  const sector = new Uint8Array(sectorBytes)
  const entry = new DataView(sector.buffer, 446, 16)
  entry.setUint8(4, 0x83)
  entry.setUint32(8, partitionStart, true)
  entry.setUint32(12, poolDiskBytes / sectorBytes - partitionStart, true)
  sector.set([0x55, 0xaa], 510)
  return sector
}
