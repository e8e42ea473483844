import { kernelSourceText, type HostKernelSpec } from '../spec/host-kernel-spec.ts'
import type { OpenwrtSpec } from '../spec/openwrt-spec.ts'
import { referenceText } from '../spec/source-reference.ts'

/** The same build again, from the lock file beside the script. */
export function reproduceScript(spec: OpenwrtSpec): string {
  return script('these images', `openwrt --lock "$here/fwbuild.lock"`, openwrtArguments(spec))
}

/** The same host kernel again, from the lock file beside the script. */
export function reproduceHostScript(spec: HostKernelSpec): string {
  const { kind } = spec.config
  // What ran where this was built may not run where it is built again; those from nothing are the same everywhere.
  const config = kind === 'small' || kind === 'micro' ? kind : '"$here/kernel.config"'
  const command = `host-kernel --lock "$here/fwbuild-host.lock" --config ${config}`
  return script('this kernel', command, hostKernelArguments(spec, 'without-config'))
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
    ...(spec.skipDocs ? ['--skip-docs'] : []),
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
export function hostKernelArguments(
  spec: HostKernelSpec,
  config: 'with-config' | 'without-config' = 'with-config',
): readonly string[] {
  const { source, zfs } = spec
  const base = spec.config.kind === 'file' ? spec.config.path : spec.config.kind
  return [
    `--acs=${spec.acs}`,
    `--zfs=${zfs.kind === 'version' ? zfs.version : zfs.kind === 'path' ? zfs.path : zfs.kind}`,
    '--source',
    kernelSourceText(source),
    ...each('--sha256', source.kind === 'tarball' && source.sha256 !== undefined ? [source.sha256] : []),
    ...(config === 'with-config' ? ['--config', base] : []),
    ...each('--patch', spec.patches),
    ...(spec.skipDocs ? ['--skip-docs'] : []),
    ...each('--fragment', spec.fragments),
    `--localversion=${spec.localversion}`,
    ...each('--passthrough', spec.passthrough),
    ...(spec.boot ? [] : ['--no-boot']),
  ]
}

const each = (flag: string, values: readonly string[]): string[] => values.flatMap((value) => [flag, value])

/** Quotes a word for sh where it needs it. */
export const shellWord = (word: string): string =>
  /^[\w./:,=@%+#-]+$/.test(word) && !word.startsWith('#')
    ? word
    : `'${word.replaceAll("'", String.raw`'\''`)}'`
