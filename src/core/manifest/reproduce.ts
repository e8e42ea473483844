import type { OpenwrtSpec } from '../spec/openwrt-spec.ts'
import type { SourceReference } from '../spec/source-reference.ts'

/** The same build again, from the lock file beside the script. */
export function reproduceScript(spec: OpenwrtSpec): string {
  const args = openwrtArguments(spec).map(shellWord).join(' ')
  return [
    '#!/bin/sh',
    '# Builds these images again: same sources, patches and options. Run it with the path of fwbuild:',
    '#   ./reproduce.sh /path/to/fwbuild [more options]',
    'set -eu',
    'fwbuild=${1:-fwbuild}',
    '[ $# -eq 0 ] || shift',
    'here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)',
    `exec "$fwbuild" openwrt --lock "$here/fwbuild.lock" ${args} "$@"`,
    '',
  ].join('\n')
}

/** Flags that give an equal specification. */
export function openwrtArguments(spec: OpenwrtSpec): readonly string[] {
  const each = (flag: string, values: readonly string[]): string[] => values.flatMap((value) => [flag, value])
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

const referenceText = ({ location, ref }: SourceReference): string =>
  ref === undefined ? location : `${location}#${ref}`

/** Quotes a word for sh where it needs it. */
export const shellWord = (word: string): string =>
  /^[\w./:,=@%+#-]+$/.test(word) && !word.startsWith('#')
    ? word
    : `'${word.replaceAll("'", String.raw`'\''`)}'`
