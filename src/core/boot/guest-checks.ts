import type { Hypervisor } from '../image/formats.ts'
import type { Firmware } from '../image/image-names.ts'
import { judgeBoard, judgeNetwork, judgeRoot, type Judgement } from './judgements.ts'

/** A command in the guest's shell and what its output has to show. */
export interface GuestCheck {
  readonly name: string
  /** One line for a POSIX shell, without comments, here-documents or background jobs. */
  readonly command: string
  readonly judge: (output: string, exitCode: number) => Judgement
  /** Repeated for this long while it fails: services start after the console does. */
  readonly retryForMs: number
}

export interface GuestShare {
  readonly tag: string
  /** Content of the file `from-host` that lies in the share. */
  readonly hostToken: string
  /** What the guest has to write into `from-guest`. */
  readonly guestToken: string
}

interface DriverRequirement {
  readonly bus: 'virtio' | 'pci'
  /** One of these has to be bound to a device. */
  readonly anyOf: readonly string[]
}

const kvmDrivers: readonly DriverRequirement[] = [
  { bus: 'virtio', anyOf: ['virtio_blk', 'virtio_scsi'] },
  { bus: 'virtio', anyOf: ['virtio_net'] },
  { bus: 'virtio', anyOf: ['virtio_rng'] },
  { bus: 'virtio', anyOf: ['virtio_balloon'] },
  { bus: 'virtio', anyOf: ['virtio_console'] },
]

const vmwareDrivers: readonly DriverRequirement[] = [
  { bus: 'pci', anyOf: ['vmw_pvscsi'] },
  { bus: 'pci', anyOf: ['vmxnet3'] },
]

const slowServiceMs = 120_000

/**
 * What an OpenWrt image has to show once its shell answers, in order.
 * @param expectedDisk kernel name of the image's disk, e.g. `vda`
 */
export function guestChecks(options: {
  readonly hypervisors: readonly Hypervisor[]
  readonly firmware: Firmware
  readonly expectedDisk: string
  readonly shares: readonly GuestShare[]
}): readonly GuestCheck[] {
  return [
    {
      name: 'shell',
      // Also keeps kernel messages out of what later commands print.
      command: 'dmesg -n 1; echo "answer $((6 * 7))"',
      judge: (output) => ({ passed: output.includes('answer 42'), detail: firstLine(output) }),
      retryForMs: 30_000,
    },
    {
      name: 'kernel',
      command: 'uname -srvm',
      judge: (output, exitCode) => ({
        passed: exitCode === 0 && output.startsWith('Linux '),
        detail: firstLine(output),
      }),
      retryForMs: 0,
    },
    {
      name: 'firmware',
      command: 'test -d /sys/firmware/efi && echo uefi || echo bios',
      judge: (output) => {
        const seen = firstLine(output).trim()
        return { passed: seen === options.firmware, detail: `the kernel was started by ${seen}` }
      },
      retryForMs: 0,
    },
    {
      name: 'root-filesystem',
      command: 'cat /proc/self/mountinfo; echo; cat /proc/partitions',
      judge: (output) => judgeRoot(output, options.expectedDisk),
      retryForMs: 60_000,
    },
    driverCheck('kvm-drivers', kvmDrivers),
    ...(options.hypervisors.includes('vmware') ? [driverCheck('vmware-drivers', vmwareDrivers)] : []),
    {
      name: 'network',
      command: 'ip -4 addr show dev br-lan',
      judge: judgeNetwork,
      retryForMs: slowServiceMs,
    },
    { name: 'board', command: 'ubus call system board', judge: judgeBoard, retryForMs: slowServiceMs },
    ...options.shares.map(shareCheck),
  ]
}

function driverCheck(name: string, requirements: readonly DriverRequirement[]): GuestCheck {
  return {
    name,
    // A bound device is a link named after it; an unbound driver leaves the pattern as it is.
    command: 'echo /sys/bus/virtio/drivers/*/virtio[0-9]*; echo /sys/bus/pci/drivers/*/0000:*',
    judge: (output) => {
      const bound = new Set(
        [...output.matchAll(/\/sys\/bus\/(virtio|pci)\/drivers\/([^/*\s]+)\/(?!\S*\*)\S+/g)].map(
          (match) => `${match[1]}/${match[2]}`,
        ),
      )
      const missing = requirements.filter(
        ({ bus, anyOf }) => !anyOf.some((driver) => bound.has(`${bus}/${driver}`)),
      )
      if (missing.length === 0) {
        const found = requirements.flatMap(({ bus, anyOf }) =>
          anyOf.filter((driver) => bound.has(`${bus}/${driver}`)),
        )
        return { passed: true, detail: `bound: ${found.join(', ')}` }
      }
      const names = missing.map(({ anyOf }) => anyOf.join(' or '))
      return { passed: false, detail: `no device is bound to ${names.join(', ')}` }
    },
    retryForMs: 30_000,
  }
}

/** Exit codes of the share command, told apart from those of mount and cp. */
const waitForOwnMount = 90

function shareCheck(share: GuestShare): GuestCheck {
  const directory = `/mnt/${share.tag}`
  const mounted = `grep -q ' ${directory} 9p ' /proc/mounts`
  const mount = `mkdir -p ${directory} && mount -t 9p -o trans=virtio,version=9p2000.L,msize=131072 ${share.tag} ${directory}`
  return {
    name: `share-${share.tag}`,
    // Where an init script of the image mounts shares, the image itself has to do it.
    command:
      `if ${mounted}; then echo "mounted by the image"; ` +
      `elif grep -qsw 9p /etc/init.d/*; then (exit ${waitForOwnMount}); ` +
      `else ${mount} && echo "mounted by hand"; fi && ` +
      `cat ${directory}/from-host && echo ${share.guestToken} > ${directory}/from-guest && sync`,
    judge: (output, exitCode) => {
      if (exitCode === waitForOwnMount) {
        return { passed: false, detail: `${directory} was not mounted by the image's own init script` }
      }
      if (/No such device/.test(output)) {
        const detail = 'mount says "No such device": the kernel has no 9p file system over virtio'
        return { passed: false, detail, final: true }
      }
      const passed = exitCode === 0 && output.includes(share.hostToken)
      const seen = firstLine(output)
      return { passed, detail: passed ? `${seen}, read and written` : `the share is not usable: ${seen}` }
    },
    retryForMs: 30_000,
  }
}

const firstLine = (output: string): string =>
  output.split('\n').find((line) => line.trim() !== '') ?? 'no output'
