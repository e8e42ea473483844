import { patchMetadata } from '../patch/metadata.ts'
import type { PatchDocument } from '../patch/model.ts'

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

/** Every path of the tree that a patch may look at, with the directories above (they might be links). */
export function pathsOf(patch: PatchDocument): readonly string[] {
  const names = patch.files.flatMap((file) => [
    file.git?.from,
    file.git?.to,
    withoutPrefix(file.oldName),
    withoutPrefix(file.newName),
  ])
  const paths = new Set<string>()
  for (const name of names) {
    const parts = (name ?? '').split('/').filter(Boolean)
    for (let length = 1; length <= parts.length; length++) paths.add(parts.slice(0, length).join('/'))
  }
  return [...paths].sort()
}

const withoutPrefix = (name: string | undefined): string | undefined => name?.replace(/^[^/]*\//, '')
