import { spawnSync } from 'node:child_process'
import { chmod, copyFile, mkdir, open, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runProcess } from '../../src/effects/process.ts'
import type { Need } from './need.ts'

/*
 * A disk that boots like a small OpenWrt, made of Debian's own packages when a test runs: kernel
 * and BusyBox, GRUB for BIOS and EFI, an ext4 root, procd's console contract and a fake ubus.
 *
 *   MBR │ GRUB core │ 1: FAT with kernel, initramfs, boot.cfg and the EFI loader │ 2: ext4
 */

const packages = [
  'busybox-static',
  'grub-common',
  'grub-pc-bin',
  'grub-efi-amd64-bin',
  'libdevmapper1.02.1',
  'mtools',
]
/** The cloud kernel boots three times as fast; only the ordinary one has 9p. */
export type KernelFlavour = 'cloud-amd64' | 'amd64'

const kernelPackage = (flavour: KernelFlavour): string => `linux-image-${flavour}`
const modules = [
  'virtio_pci',
  'virtio_blk',
  'virtio_scsi',
  'virtio_net',
  'virtio_rng',
  'virtio_balloon',
  'virtio_console',
  'vmw_pvscsi',
  'vmxnet3',
  'bridge',
  // ext4 asks for it by name, which modules.dep does not say.
  'crc32c_generic',
  'ext4',
  '9pnet_virtio',
  '9p',
]

const starts = (argv: readonly string[]): boolean => {
  const [program = '', ...args] = argv
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}

/** Debian's packages are downloadable and its tools there. */
export const needBootDisk = (): Need => ({
  name: 'Debian packages of a kernel and GRUB, dpkg-deb, cpio, depmod, mke2fs',
  present: [
    ['apt-cache', 'show', kernelPackage('cloud-amd64'), kernelPackage('amd64'), ...packages],
    ['dpkg-deb', '--version'],
    ['cpio', '--version'],
    ['depmod', '--version'],
    ['mke2fs', '-V'],
  ].every(starts),
})

async function run(argv: readonly string[], cwd: string, stdin?: string): Promise<string> {
  const env = {
    ...process.env,
    MTOOLS_SKIP_CHECK: '1',
    LD_LIBRARY_PATH: join(cwd, 'packages/lib/x86_64-linux-gnu'),
  }
  const result = await runProcess(argv, { cwd, env, ...(stdin === undefined ? {} : { stdin }) })
  if (result.exitCode !== 0) throw new Error(`${argv.join(' ')}: ${result.stderr}`)
  return result.stdout
}

const mebibyte = 1024 * 1024
const fatStart = 1 * mebibyte
const fatBytes = 48 * mebibyte
const rootStart = fatStart + fatBytes
const rootBytes = 16 * mebibyte

/**
 * Makes `disk.img` in an empty directory.
 * @returns a function that writes a copy whose guest behaves as asked
 */
export async function makeBootDisk(
  directory: string,
  flavour: KernelFlavour,
): Promise<(path: string, behaviour: GuestBehaviour) => Promise<void>> {
  const depends = await run(['apt-cache', 'depends', kernelPackage(flavour)], directory)
  const kernel = /Depends: (linux-image-\S+)/.exec(depends)?.[1]
  if (kernel === undefined) throw new Error(`${kernelPackage(flavour)} depends on no kernel`)
  const version = kernel.slice('linux-image-'.length)
  await run(['apt-get', 'download', '-q', kernel, ...packages], directory)
  for (const name of await readdir(directory)) {
    if (name.endsWith('.deb')) await run(['dpkg-deb', '-x', name, 'packages'], directory)
  }
  await makeInitramfs(directory, version)
  await makeRoot(directory)
  await assemble(directory, version)
  return async (path, behaviour) => {
    await copyFile(join(directory, 'disk.img'), path)
    await run(
      [join(directory, 'packages/usr/bin/mcopy'), '-o', '-i', `${path}@@${fatStart}`, '-', '::boot.cfg'],
      directory,
      bootConfig(behaviour),
    )
  }
}

export type GuestBehaviour = 'good' | 'panic' | 'hang' | 'silent' | 'no-network' | 'mounts-share'

const bootConfig = (behaviour: GuestBehaviour): string => {
  // A console that is not the serial port: the guest runs and nobody hears it.
  const console = behaviour === 'silent' ? 'console=tty0 quiet' : 'console=ttyS0,115200 loglevel=7'
  return `linux /vmlinuz ${console} panic=1 fwtest=${behaviour}\ninitrd /initrd\nboot\n`
}

async function makeInitramfs(directory: string, version: string): Promise<void> {
  const tree = join(directory, 'initramfs')
  await mkdir(join(tree, 'bin'), { recursive: true })
  for (const name of ['proc', 'sys', 'dev', 'root', 'lib/modules']) {
    await mkdir(join(tree, name), { recursive: true })
  }
  await copyFile(join(directory, 'packages/bin/busybox'), join(tree, 'bin/busybox'))
  await run(['depmod', '-b', join(directory, 'packages'), version], directory)
  const depends = await readFile(join(directory, 'packages/lib/modules', version, 'modules.dep'), 'utf8')
  const ordered = moduleOrder(depends, modules)
  for (const path of ordered) {
    const name = path.slice(path.lastIndexOf('/') + 1)
    await copyFile(join(directory, 'packages/lib/modules', version, path), join(tree, 'lib/modules', name))
  }
  await script(
    join(tree, 'init'),
    [
      '#!/bin/busybox sh',
      '/bin/busybox mkdir -p /sbin && /bin/busybox --install -s /bin',
      'mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev',
      ...ordered.map((path) => `insmod /lib/modules/${path.slice(path.lastIndexOf('/') + 1)}`),
      'behaviour=$(sed -n "s/.*fwtest=\\([a-z-]*\\).*/\\1/p" /proc/cmdline)',
      'case $behaviour in',
      '  panic) sleep 1; exit 1 ;;',
      // Again and again: on a fast machine the kernel still has something to say after the first time.
      '  hang) while :; do echo "waiting for nothing"; sleep 5; done ;;',
      // Its user land would open the serial line itself, as soon as a fast machine brings it up.
      '  silent) while :; do sleep 100; done ;;',
      'esac',
      'while ! mount -t ext4 /dev/vda2 /root; do sleep 1; done',
      'for d in proc sys dev; do mount --move /$d /root/$d; done',
      'exec switch_root /root /sbin/start $behaviour',
      '',
    ].join('\n'),
  )
  const files = await run(['find', '.', '-mindepth', '1'], tree)
  await run(['cpio', '-o', '-H', 'newc', '--quiet', '-F', join(directory, 'initrd')], tree, files)
}

/** Modules and what they depend on, in an order in which they load. */
function moduleOrder(modulesDep: string, names: readonly string[]): readonly string[] {
  const lines = modulesDep.split('\n').map((line) => line.split(/: ?/))
  const ordered = new Set<string>()
  for (const name of names) {
    const pattern = new RegExp(`/${name.replaceAll('_', '[-_]')}\\.ko$`)
    const [path, depends = ''] = lines.find(([file = '']) => pattern.test(file)) ?? []
    // modules.dep lists the nearest dependency first. A driver that is built in has no line.
    for (const dependency of depends.split(' ').filter(Boolean).toReversed()) ordered.add(dependency)
    if (path !== undefined) ordered.add(path)
  }
  return [...ordered]
}

async function makeRoot(directory: string): Promise<void> {
  const tree = join(directory, 'rootfs')
  for (const name of ['bin', 'sbin', 'proc', 'sys', 'dev', 'mnt', 'tmp', 'etc/init.d']) {
    await mkdir(join(tree, name), { recursive: true })
  }
  await copyFile(join(directory, 'packages/bin/busybox'), join(tree, 'bin/busybox'))
  await script(
    join(tree, 'bin/ubus'),
    '#!/bin/busybox sh\necho \'{ "kernel": "6.1", "hostname": "OpenWrt", "board_name": "qemu" }\'\n',
  )
  await script(
    join(tree, 'sbin/start'),
    [
      '#!/bin/busybox sh',
      'export PATH=/sbin:/bin',
      'busybox --install -s /bin',
      'mount -o remount,rw /',
      // As on OpenWrt the network comes up some time after the console.
      'if [ "$1" != no-network ]; then (sleep 4; ip link add br-lan type bridge; ip addr add 192.168.1.1/24 dev br-lan; ip link set br-lan up) & fi',
      // As an init script of the image would: later than the console, too.
      'if [ "$1" = mounts-share ]; then echo "# mounts 9p" > /etc/init.d/shares; (sleep 8; mkdir -p /mnt/hostshare; mount -t 9p -o trans=virtio hostshare /mnt/hostshare) & fi',
      'exec </dev/ttyS0 >/dev/ttyS0 2>&1',
      'printf "\\nPlease press Enter to activate this console.\\n"',
      'read -r key',
      "export PS1='root@OpenWrt:/# '",
      // BusyBox' poweroff tells process 1 by this signal.
      "trap 'sync; busybox poweroff -f' USR2",
      'cd / && setsid -c sh -i </dev/ttyS0 &',
      'while :; do wait; done',
      '',
    ].join('\n'),
  )
  await run(['truncate', '-s', String(rootBytes), 'root.ext4'], directory)
  await run(['mke2fs', '-q', '-F', '-t', 'ext4', '-d', tree, 'root.ext4'], directory)
}

async function assemble(directory: string, version: string): Promise<void> {
  const tool = (name: string): string => join(directory, 'packages/usr/bin', name)
  const grub = join(directory, 'packages/usr/lib/grub')
  const earlyConfig = 'set root=(hd0,msdos1)\nset prefix=(hd0,msdos1)/\nsource /boot.cfg\n'
  await writeFile(join(directory, 'early.cfg'), earlyConfig)
  const image = async (format: string, output: string, disk: readonly string[]): Promise<void> => {
    const names = [...disk, 'part_msdos', 'fat', 'linux', 'boot', 'normal', 'configfile', 'serial']
    await run(
      [
        tool('grub-mkimage'),
        '-d',
        join(grub, format),
        '-O',
        format,
        '-p',
        '/',
        '-c',
        'early.cfg',
        '-o',
        output,
        ...names,
      ],
      directory,
    )
  }
  await image('i386-pc', 'core.img', ['biosdisk'])
  await image('x86_64-efi', 'BOOTX64.EFI', [])
  await run(['truncate', '-s', String(rootStart + rootBytes), 'disk.img'], directory)
  const fat = `disk.img@@${fatStart}`
  await run(
    [tool('mformat'), '-i', fat, '-T', String(fatBytes / 512), '-h', '16', '-s', '63', '::'],
    directory,
  )
  await run([tool('mmd'), '-i', fat, '::EFI', '::EFI/BOOT'], directory)
  await run([tool('mcopy'), '-i', fat, 'BOOTX64.EFI', '::EFI/BOOT/BOOTX64.EFI'], directory)
  await run([tool('mcopy'), '-i', fat, 'initrd', '::initrd'], directory)
  await run([tool('mcopy'), '-i', fat, `packages/boot/vmlinuz-${version}`, '::vmlinuz'], directory)
  const disk = await open(join(directory, 'disk.img'), 'r+')
  try {
    const bootSector = await readFile(join(grub, 'i386-pc/boot.img'))
    // GRUB's boot code, then the partition table: type, first sector and length of each.
    await disk.write(bootSector, 0, 440, 0)
    await disk.write(
      Buffer.concat([
        partition(0x80, 0xef, fatStart, fatBytes),
        partition(0, 0x83, rootStart, rootBytes),
        Buffer.alloc(32),
        Buffer.from([0x55, 0xaa]),
      ]),
      0,
      66,
      446,
    )
    const core = await readFile(join(directory, 'core.img'))
    await disk.write(core, 0, core.length, 512)
    const root = await readFile(join(directory, 'root.ext4'))
    await disk.write(root, 0, root.length, rootStart)
  } finally {
    await disk.close()
  }
}

function partition(status: number, type: number, startBytes: number, bytes: number): Buffer {
  const entry = Buffer.alloc(16)
  entry.writeUInt8(status, 0)
  entry.writeUInt8(type, 4)
  entry.writeUInt32LE(startBytes / 512, 8)
  entry.writeUInt32LE(bytes / 512, 12)
  return entry
}

async function script(path: string, text: string): Promise<void> {
  await writeFile(path, text)
  await chmod(path, 0o755)
}
