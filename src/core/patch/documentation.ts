import type { PlacedHunk } from './placement.ts'

/** Files below Documentation/ that are read by the build, not by people. */
const partOfBuild = /(?:^|\/)(?:Kconfig|Makefile|Kbuild)[^/]*$|\.(?:c|h|py|pl|sh|mk)$/

/** Whether a path is documentation in a tree like the kernel's: what the code is whole without. */
export const isDocumentation = (path: string): boolean =>
  path.startsWith('Documentation/') && !partOfBuild.test(path)

/** A refused hunk that is left out. */
export const leftOut = (placed: PlacedHunk): PlacedHunk =>
  placed.placement.status === 'conflict'
    ? { ...placed, placement: { ...placed.placement, status: 'skipped' } }
    : placed
