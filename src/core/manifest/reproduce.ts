import { kernelSourceText, type HostKernelSpec } from '../spec/host-kernel-spec.ts'
import type { OpenwrtSpec } from '../spec/openwrt-spec.ts'
import type { SourceReference } from '../spec/source-reference.ts'

/** The same build again, from the lock file beside the script. */
export function reproduceScript(spec: OpenwrtSpec): string {
  return script('these images', `openwrt --lock "$here/fwbuild.lock"`, openwrtArguments(spec))
}

/** The same host kernel again, from the lock file beside the script. */
export function reproduceHostScript(spec: HostKernelSpec): string {
  return script('this kernel', `host-kernel --lock "$here/fwbuild-host.lock"`, hostKernelArguments(spec))
}

function script(what: string, command: string, args: readonly string[]): string {
  return [
    '#!/bin/sh',
    `# Builds ${what} again: same sources, patches and options. Run it with the path of fwbuild:`,
    '#   ./reproduce.sh /path/to/fwbuild [more options]',
    'set -eu',
    'fwbuild=${1:-fwbuild}',
    '[ $# -eq 0 ] || shift',
    'here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)',
    `exec "$fwbuild" ${command} ${args.map(shellWord).join(' ')} "$@"`,
    '',
  ].join('\n')
}

/** Flags that give an equal specification. */
export function openwrtArguments(spec: OpenwrtSpec): readonly string[] {
  return [
    '--release',
    spec.release.name,
    '--hv',
    spec.hypervisors.join(','),
    ...each('--source', spec.source === undefined ? [] : [referenceText(spec.source)]),
    ...each('--merge', spec.merges.map(referenceText)),
    ...each('--patch', spec.patches),
    ...each('--fragment', spec.fragments),
    ...each('--share', spec.shares.length === 0 ? [] : [spec.shares.join(',')]),
    ...each('--package', spec.packages),
    '--firmware',
    spec.firmwares.join(','),
    '--image',
    spec.formats.join(','),
    ...each('--rootfs-size', spec.rootfsSizeMb === undefined ? [] : [String(spec.rootfsSizeMb)]),
    ...each('--kernel-size', spec.kernelSizeMb === undefined ? [] : [String(spec.kernelSizeMb)]),
    ...(spec.forcePciHyperv ? ['--force-pci-hyperv'] : []),
    ...(spec.boot ? [] : ['--no-boot']),
  ]
}

/** Flags that give an equal specification of a host kernel. */
export function hostKernelArguments(spec: HostKernelSpec): readonly string[] {
  const { source, config, zfs } = spec
  return [
    `--acs=${spec.acs}`,
    `--zfs=${zfs.kind === 'version' ? zfs.version : zfs.kind === 'path' ? zfs.path : zfs.kind}`,
    '--source',
    kernelSourceText(source),
    ...each('--sha256', source.kind === 'tarball' && source.sha256 !== undefined ? [source.sha256] : []),
    '--config',
    config.kind === 'file' ? config.path : config.kind,
    ...each('--patch', spec.patches),
    ...each('--fragment', spec.fragments),
    `--localversion=${spec.localversion}`,
    ...each('--passthrough', spec.passthrough),
    ...(spec.boot ? [] : ['--no-boot']),
  ]
}

const each = (flag: string, values: readonly string[]): string[] => values.flatMap((value) => [flag, value])

const referenceText = ({ location, ref }: SourceReference): string =>
  ref === undefined ? location : `${location}#${ref}`

/** Quotes a word for sh where it needs it. */
export const shellWord = (word: string): string =>
  /^[\w./:,=@%+#-]+$/.test(word) && !word.startsWith('#')
    ? word
    : `'${word.replaceAll("'", String.raw`'\''`)}'`
