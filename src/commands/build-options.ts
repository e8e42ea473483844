import { InvalidArgumentError, Option, type Command } from 'commander'

const list = (text: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  ...text.split(',').filter(Boolean),
]
const gather = (text: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  text,
]

function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('a whole number above 0 is needed')
  return value
}

/** Where a command finds its work directory; no option has a default, so that flags > environment > file holds. */
export function addWorkOptions(command: Command): Command {
  return command
    .option('-C, --file <file>', 'settings (default: ./fwbuild.yaml where there is one)')
    .option(
      '--work <dir>',
      'work directory: sources, downloads, ccache, trees, records (default: ~/.cache/fwbuild)',
    )
}

/** Options of every command that works on a build. */
export function addCommonOptions(command: Command): Command {
  return addWorkOptions(command)
    .addOption(new Option('--engine <engine>', 'where commands run').choices(['docker', 'host']))
    .option('--output <dir>', 'output directory (default: ./out/NAME)')
    .option('--dl <dir>', 'source archives (default: WORK/dl)')
    .option('--mirror <url>', 'Debian mirror for the buildroot image (default: the system’s own)')
    .option('--offline', 'touch no network')
    .option('-j, --jobs <n>', 'parallel make jobs (default: number of processors)', positiveInteger)
    .option('--memory <size>', 'memory of the build container, like 8G (default: most of the machine’s)')
    .option('--pids <n>', 'processes of the build container (default: 4096, or 128 a job)', positiveInteger)
    .option(
      '--lock <file>',
      'use the pins of a lock file (default: ./fwbuild.lock, for a host kernel ./fwbuild-host.lock, where there is one)',
    )
}

/** How steps are told of. */
export function addTalkOptions(command: Command): Command {
  return command
    .option('--json', 'results as JSON on stdout, events as JSON lines on stderr')
    .option('-q, --quiet', 'failures and warnings only')
    .option('-v, --verbose', 'every line of output')
}

export function addOpenwrtOptions(command: Command): Command {
  return command
    .option('--release <name>', 'release to build (default: the newest stable OpenWrt)')
    .option('--hv <list>', 'hypervisors: kvm, hyperv, vmware, xen (default: kvm)', list)
    .option('--source <source>', 'URL|PATH[#REF] instead of the release’s own tree')
    .option('--merge <source>', 'URL|PATH#REF to merge; any number of times', gather)
    .option('--patch <file>', 'patch, folder or series to apply; any number of times', gather)
    .option('--skip-docs', 'leave out what does not fit of a patch to Documentation/, with a warning')
    .option('--fragment <file>', 'kernel configuration fragment; any number of times', gather)
    .option('--share <list>', 'host shares for the guest: 9p, virtiofs, vsock', list)
    .option('--package <name>', 'package to build in; any number of times', gather)
    .option('--firmware <list>', 'bios, uefi (default: all that the release has)', list)
    .option('--image <list>', 'raw, qcow2, vmdk, vhdx, vpc, vdi (default: what the hypervisors need)', list)
    .option('--rootfs-size <mb>', 'root file system in MiB', positiveInteger)
    .option('--kernel-size <mb>', 'kernel partition in MiB', positiveInteger)
    .option('--azure', 'with hyperv: also a fixed VHD for Azure')
    .option('--force-pci-hyperv', 'add KERNEL_PCI_HYPERV even where the kernel has the driver')
    .option('--no-boot', 'do not boot the images')
}

/** Options of building commands that say how a run goes, not what is built. */
export function addRunOptions(command: Command): Command {
  return addTalkOptions(command)
    .option('--until <step>', 'stop after this step')
    .option('--install-missing', 'install and start what this machine lacks')
    .option('--dry-run', 'print what would be built and stop')
    .option('--explain', 'tell why each step that ran before ran again')
}

export function addHostKernelOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--acs [mode]',
        'add pcie_acs_override: missing (devices without ACS), always (those with ACS too), off',
      )
        .choices(['missing', 'always', 'off'])
        .preset('missing'),
    )
    .addOption(
      new Option(
        '--zfs [what]',
        'ZFS modules: on, off, a version, or a source directory (default: where this machine has ZFS)',
      ).preset('on'),
    )
    .option('--source <source>', 'debian[:SERIES|:newest], a kernel tree, a tarball, or a git URL#REF')
    .option('--sha256 <hash>', 'hash of a tarball given by URL')
    .option(
      '--config <config>',
      'running, distro, localmod, small, micro, or a FILE (default: running, else distro)',
    )
    .option('--patch <file>', 'kernel patch, applied after ours; any number of times', gather)
    .option('--skip-docs', 'leave out what does not fit of a patch to Documentation/, with a warning')
    .option('--fragment <file>', 'kernel configuration fragment; any number of times', gather)
    .option('--localversion <suffix>', 'suffix of the kernel release (default: -fwbuild-acs, or -fwbuild)')
    .option('--passthrough <bdf>', 'PCI device that vfio-pci takes at boot; any number of times', list)
    .option('--no-boot', 'do not boot the kernel')
}
