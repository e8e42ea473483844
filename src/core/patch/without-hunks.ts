import type { FilePatch } from './model.ts'

/** What is left of a file's patch when all its hunks go: its new name or mode; undefined if nothing. */
export function withoutHunks(file: FilePatch): FilePatch | undefined {
  const { git } = file
  const changesMode = git?.oldMode !== undefined && git.newMode !== undefined && git.oldMode !== git.newMode
  if (git?.operation !== 'rename' && git?.operation !== 'copy' && !changesMode) return undefined
  // These lines announce hunks, and a patch where none follow counts as cut off.
  const header = file.header.replace(/^--- .*\n\+\+\+ .*\n/m, '').replace(/^index .*\n/m, '')
  return { ...file, header, hunks: [] }
}
