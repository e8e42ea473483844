import { buildError } from '../../core/errors.ts'
import type { KernelLayers } from '../../core/openwrt/kernel-layers.ts'
import { isFileBeneath } from '../../effects/beneath/read.ts'
import type { KernelBuild } from './kernel-tree.ts'
import { readTreeText } from './tree-files.ts'

const targetDir = 'target/linux/x86'

/**
 * Reads what the configured tree makes its kernel's configuration of (LINUX_KCONFIG_LIST of
 * include/target.mk, CONFIG_KERNEL_* of .config, and what kmod packages ask for).
 */
export async function readKernelLayers(build: KernelBuild): Promise<KernelLayers> {
  const { tree } = build
  const text = (path: string): string => readTreeText(tree, path) ?? ''
  const makefile = text(`${targetDir}/Makefile`)
  const series = /^KERNEL_PATCHVER\s*:?=\s*(\S+)/m.exec(makefile)?.[1]
  if (series === undefined) {
    throw buildError('E_KERNEL_SERIES', `${targetDir}/Makefile names no KERNEL_PATCHVER`)
  }
  const stack = ['target/linux/generic', targetDir, `${targetDir}/64`].flatMap((folder) =>
    [`${folder}/config-${series}`, `${folder}/config-default`]
      .filter((file) => isFileBeneath(tree, file))
      .slice(0, 1),
  )
  return {
    stack: [...stack, 'env/kernel-config'].map(text),
    openwrtConfig: text('.config'),
    kernelDefaults: text('include/kernel-defaults.mk'),
    packages: await wantedByPackages(build, series),
  }
}

/** The tree's own script reads tmp/.packageinfo, which `make defconfig` wrote. */
async function wantedByPackages({ tree, session, signal }: KernelBuild, series: string): Promise<string> {
  const [script, info] = ['scripts/package-metadata.pl', 'tmp/.packageinfo']
  if (!isFileBeneath(tree, script) || !isFileBeneath(tree, info)) return ''
  const lines: string[] = []
  const { exitCode } = await session.exec(['perl', script, 'kconfig', info, '.config', series], {
    cwd: tree,
    signal,
    onLine: (line, stream) => void (stream === 'out' && lines.push(line)),
  })
  if (exitCode === 0) return lines.join('\n')
  throw buildError('E_PACKAGE_KCONFIG', `${script} kconfig ended with ${exitCode} in ${tree}`)
}
