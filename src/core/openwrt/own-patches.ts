import { patchMetadata } from '../patch/metadata.ts'
import type { PatchDocument } from '../patch/model.ts'
import { stripComponents } from '../patch/names.ts'

/** Whether a patch of patches/openwrt is the one that has rules of its own (pci-hyperv.ts). */
export const isPciHypervPatch = (patch: PatchDocument): boolean =>
  patch.files.some((file) =>
    file.hunks.some((hunk) =>
      hunk.lines.some((line) => line.kind === 'added' && line.text.startsWith('config KERNEL_PCI_HYPERV')),
    ),
  )

/** Title of a patch for people: its subject, or its file name. */
export const patchTitle = (patch: PatchDocument, name: string): string =>
  patchMetadata(patch.files[0]?.preamble ?? '').subject ?? name

/**
 * Every path of the tree that a patch may look at, with the directories above (they might be links).
 * @param strip leading components of its names that are no part of the paths, as `patch -p`
 */
export function pathsOf(patch: PatchDocument, strip = 1): readonly string[] {
  const names = patch.files.flatMap((file) => [
    // Names of renames and copies carry no prefix.
    ...[file.git?.from, file.git?.to].map((name) => stripped(name, Math.max(strip - 1, 0))),
    stripped(file.oldName, strip),
    stripped(file.newName, strip),
  ])
  const paths = new Set<string>()
  for (const name of names) {
    const parts = (name ?? '').split('/').filter(Boolean)
    for (let length = 1; length <= parts.length; length++) paths.add(parts.slice(0, length).join('/'))
  }
  return [...paths].sort()
}

const stripped = (name: string | undefined, strip: number): string | undefined =>
  name === undefined ? undefined : stripComponents(name, strip)
