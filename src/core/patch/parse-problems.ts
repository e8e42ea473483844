import { withoutEol } from './lines.ts'
import type { FilePatch } from './model.ts'
import { hunkHead } from './hunk-extent.ts'

/** Whether a file's header begins at `lines[at]`; what follows must be a hunk. */
export const isPlainHeader = (lines: readonly string[], at: number): boolean =>
  (lines[at] ?? '').startsWith('--- ') && (lines[at + 1] ?? '').startsWith('+++ ')

const cutHeader = 'the patch ends inside a file header; it was cut off, so get it anew'

/** Why the line where a hunk could begin must not be passed over as text; undefined where it may. */
export function brokenHunkHead(line: string): string | undefined {
  if (/^@@@+ -\d/.test(line)) return 'combined diffs (of merges) can not be applied'
  if (!line.startsWith('@@')) return undefined
  return 'a hunk header that can not be read; it should look like "@@ -1,3 +1,4 @@"'
}

/** Lines that look like part of a hunk but that its counts leave out would be lost in silence. */
export function uncountedLine(lines: readonly string[], at: number): string | undefined {
  const line = lines[at]
  if (line === undefined || isPlainHeader(lines, at) || !/^[ +-]/.test(line)) return undefined
  // A mail's signature, and the ruler between two mails.
  if (/^-- ?$|^-{3,}\s*$/.test(withoutEol(line))) return undefined
  if (line.startsWith('--- ') && at === lines.length - 1) return cutHeader
  return 'a line follows the hunk that its counts leave out'
}

/** Why a header that announces a change may not stand without one; undefined where it is complete. */
export function missingChange(file: Omit<FilePatch, 'preamble' | 'line'>): string | undefined {
  const { git, header } = file
  if (file.hunks.length > 0 || file.binary !== undefined) return undefined
  if (/^\+\+\+ /m.test(header)) return 'a file header without a hunk; the patch was cut off or damaged'
  if (git?.operation === 'modify' && git.newMode === undefined) {
    return 'a git header without a change; the patch was cut off or damaged'
  }
  const isEmpty = (blob: string): boolean => /^0+$/.test(blob) || emptyBlobs.some((id) => id.startsWith(blob))
  const { oldBlob = '', newBlob = '' } = git ?? {}
  if (oldBlob === newBlob || (isEmpty(oldBlob) && isEmpty(newBlob))) return undefined
  return 'the index line names another content, but no hunk follows; the patch was cut off or damaged'
}

/** git's names for a file without content (SHA-1, SHA-256). */
const emptyBlobs = [
  'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391',
  '473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813',
]

/** Formats that carry changes but that the parser does not read must not pass as plain text. */
export function foreignFormat(lines: readonly string[], at: number): string | undefined {
  const [line = '', next = '', third = ''] = lines.slice(at, at + 3)
  if (/^@@@+ -\d/.test(line)) return brokenHunkHead(line)
  if (line.startsWith('*** ') && next.startsWith('--- ') && third.startsWith('***************')) {
    return 'context diffs are not supported, only the unified format'
  }
  if (/^(Binary f|F)iles .+ and .+ differ$/.test(withoutEol(line))) {
    return 'the patch does not hold the content of a binary file; make it with git diff --binary'
  }
  if (line.startsWith('diff --git ') && at === lines.length - 1) return cutHeader
  return hunkHead.test(line) ? 'a hunk without a file header' : undefined
}
