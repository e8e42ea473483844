import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import { fingerprintOf } from '../../core/step-record.ts'
import { stampFiles, stampsHold, type FileStamp } from '../../effects/file-stamps.ts'
import { pathWord } from '../../core/path-word.ts'
import type { Step } from '../run.ts'
import type { HostKernelContext } from './context.ts'
import { kbuild } from './kbuild.ts'

type PackagesOutputs = { readonly files: readonly FileStamp[] }

/**
 * linux-image and linux-headers by the kernel's own packaging (scripts/package, `make bindeb-pkg`). Its
 * linux-libc-dev stays behind: it has the name of the distribution's.
 */
export const packagesStep: Step<HostKernelContext, PackagesOutputs> = {
  id: 'packages',
  title: 'Package the kernel',
  version: 1,
  inputs: async (context) => ({
    image: context.found.imageSha256,
    // Modules are in it too, and a change in one shows nowhere else.
    patched: context.found.patchedDigest,
    config: context.found.configDigest,
    source: context.found.origin?.id ?? '',
    buildroot: context.buildrootInputs,
    symvers: context.found.symversSha256,
    release: context.found.release,
    version: packageVersion(context),
  }),
  run: async (context, tools) => {
    const { area } = context
    const { root, debs } = context.places
    await removeOld(context)
    await kbuild(context, packageWords(context), tools)
    area.makeFolder(debs)
    const made = area.names(root).filter((name) => name.endsWith('.deb'))
    const wanted = made.filter((name) => /^linux-(?:image|headers)-/.test(name) && !name.includes('-dbg_'))
    // A kernel without modules has no headers package.
    const kinds = context.found.interfaceDigest === '' ? ['linux-image-'] : ['linux-image-', 'linux-headers-']
    for (const kind of kinds) {
      if (wanted.some((name) => name.startsWith(kind))) continue
      throw buildError('E_PACKAGES', `the kernel’s packaging made no ${kind}… package`, {
        hint: `log: ${tools.logPath}`,
      })
    }
    for (const name of wanted) area.rename(join(root, pathWord('the package name', name)), join(debs, name))
    return { files: (await stampFiles(root, 'debs')).filter(({ name }) => wanted.includes(name)) }
  },
  intact: (context, outputs) => stampsHold(context.places.root, outputs.files, 'debs'),
  adopt: (context, outputs) => {
    context.found.kernelPackages = outputs.files.map(({ name }) => join(context.places.debs, name))
  },
  summary: ({ files }) => files.map(({ name }) => name).join(', '),
}

/**
 * Of all packages that come from one kernel. The digits behind + name the build: two builds of one kernel are not
 * the same package, and modules of one do not belong to the other. They say nothing of which is newer. The revision
 * stays 1: scripts/package/mkdebian makes it KBUILD_BUILD_VERSION, and with another the kernel is linked anew.
 */
export function packageVersion({ found }: HostKernelContext): string {
  const build = fingerprintOf(1, {
    image: found.imageSha256,
    patched: found.patchedDigest,
    config: found.configDigest,
    symvers: found.symversSha256,
  })
  return `${found.kernelVersion}+${build.slice(0, 8)}-1`
}

const packageWords = (context: HostKernelContext): readonly string[] => [
  `KDEB_PKGVERSION=${packageVersion(context)}`,
  'KDEB_CHANGELOG_DIST=unstable',
  // What it wants at build time is in the buildroot, whatever dpkg there thinks of it.
  'DPKG_FLAGS=-d',
  'bindeb-pkg',
]

async function removeOld({ area, places }: HostKernelContext): Promise<void> {
  for (const folder of [places.root, places.debs]) {
    for (const name of area.names(folder)) {
      if (/\.(?:deb|buildinfo|changes)$/.test(name)) await area.remove(join(folder, name))
    }
  }
}
