import type { FilePatch } from './model.ts'

/** What is left of a file's patch when all its hunks go: its new name or mode; undefined if nothing. */
export function withoutHunks(file: FilePatch): FilePatch | undefined {
  const { git } = file
  const changesMode = git?.oldMode !== undefined && git.newMode !== undefined && git.oldMode !== git.newMode
  if (git?.operation !== 'rename' && git?.operation !== 'copy' && !changesMode) return undefined
  // These two lines announce hunks, and tools reject a patch where none follow.
  return { ...file, header: file.header.replace(/^--- .*\n\+\+\+ .*\n/m, ''), hunks: [] }
}
