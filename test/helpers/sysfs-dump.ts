import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { sayFunction } from '../../src/core/boot/guest-report.ts'
import { cpioArchive } from '../../src/core/host/cpio.ts'
import { guestBase } from '../../src/core/host/guest-base.ts'
import { moduleFiles } from '../../src/pipeline/host-kernel/module-files.ts'
import { runGuest } from '../../src/pipeline/host-kernel/run-guest.ts'
import { runProcess } from '../../src/effects/process.ts'
import type { DebianKernel } from './debian-kernel.ts'

/** Copies what `fwbuild iommu` reads of /sys to a tar archive on the second serial port. */
const dumpScript = (modules: readonly string[]): string => `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin
${sayFunction}
dmesg -n 1
${modules.map((name) => `insmod /lib/proof/${name}.ko`).join('\n')}
sleep 5
for i in /sys/class/net/*; do ip link set \${i##*/} up; done
sleep 1
copy() { mkdir -p "/dump$(dirname "$1")"; cp -P "$1" "/dump$1" 2>/dev/null; }
find /sys/devices/pci* -type f | grep -E '/(class|vendor|device|config|boot_vga|operstate|product|bDeviceClass|partition)$' |
  grep -vE '/(msi_irqs|power)/' | while read -r f; do copy "$f"; done
find /sys/devices/pci* -type l \\( -name driver -o -name iommu_group -o -name master \\) | while read -r f; do copy "$f"; done
find /sys/devices/pci* -type d \\( -name 'nvme*n*' -o -path '*/block/?d?' \\) | while read -r d; do mkdir -p "/dump$d"; done
for link in /sys/bus/pci/devices/* /sys/class/block/* /sys/dev/block/*; do [ -L "$link" ] && copy "$link"; done
for table in /sys/firmware/acpi/tables/*; do mkdir -p /dump/sys/firmware/acpi/tables; : >"/dump$table"; done
for group in /sys/kernel/iommu_groups/*/devices/*; do
  path=\${group%/devices/*}; say group "\${path##*/}" "\${group##*/}"
done
cd /dump/sys && tar -cf - . | gzip | base64 >/dev/ttyS1
sync; sleep 1
say end
poweroff -f
`

/**
 * Boots a machine and unpacks what its sysfs shows.
 * @param command QEMU for a kernel and an initial RAM disk, with the first serial port on stdio
 * @returns the groups as the guest lists them, `NUMBER ADDRESS` each
 */
export async function dumpSysfs(options: {
  readonly kernel: DebianKernel
  readonly modules: readonly string[]
  readonly command: (initrdPath: string) => readonly string[]
  /** A new directory for the archive `sysfs.tar.gz` and its content `sys`. */
  readonly directory: string
}): Promise<readonly string[]> {
  const { directory, kernel } = options
  const { signal } = new AbortController()
  await mkdir(join(directory, 'sys'), { recursive: true })
  const files = await moduleFiles(options.modules, [{ root: kernel.modulesDir, path: '' }], directory, signal)
  const base = guestBase(await readFile('/bin/busybox'), dumpScript(files.ordered))
  const initrd = join(directory, 'initrd')
  await writeFile(initrd, gzipSync(cpioArchive([...base, ...files.entries])))
  const dump = join(directory, 'dump.base64')
  const run = await runGuest({
    command: () => [...options.command(initrd), '-serial', `file:${dump}`],
    accelerators: ['tcg'],
    limits: { silenceMs: 60_000, overallMs: 240_000 },
    logPath: join(directory, 'serial.log'),
    signal,
    onFallBack: () => {},
  })
  if (run.failure !== undefined) throw new Error(run.failure)
  const archive = join(directory, 'sysfs.tar.gz')
  await writeFile(archive, Buffer.from(await readFile(dump, 'latin1'), 'base64'))
  await unpackSysfs(archive, join(directory, 'sys'))
  return run.report.filter((line) => line.startsWith('group ')).map((line) => line.slice(6))
}

/** Unpacks an archive of dumpSysfs into an existing directory. */
export async function unpackSysfs(archive: string, directory: string): Promise<void> {
  const result = await runProcess(['tar', '-xzf', archive, '-C', directory])
  if (result.exitCode !== 0) throw new Error(result.stderr)
}
