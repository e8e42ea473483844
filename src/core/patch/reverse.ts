import type { FilePatch, GitHeader, Hunk, HunkLine } from './model.ts'
import { hunkLine } from './print.ts'

/** The file patch that undoes this one. Its header text stays: only what is applied turns round. */
export function reverseFile(file: FilePatch): FilePatch {
  return {
    ...file,
    oldName: file.newName,
    newName: file.oldName,
    oldAbsent: file.newAbsent,
    newAbsent: file.oldAbsent || file.git?.operation === 'copy',
    git: file.git === undefined ? undefined : reverseGit(file.git),
    hunks: file.hunks.map(reverseHunk),
  }
}

const reversed = {
  modify: 'modify',
  create: 'delete',
  delete: 'create',
  rename: 'rename',
  copy: 'uncopy',
  uncopy: 'copy',
} as const

function reverseGit(git: GitHeader): GitHeader {
  return {
    operation: reversed[git.operation],
    from: git.to,
    to: git.from,
    oldMode: git.newMode,
    newMode: git.oldMode,
    indexMode: git.indexMode,
    oldBlob: git.newBlob,
    newBlob: git.oldBlob,
  }
}

function reverseHunk(hunk: Hunk): Hunk {
  const lines: HunkLine[] = []
  let pending: HunkLine[] = []
  for (const line of hunk.lines) {
    // What was added goes first now, so that removed lines stay ahead of added ones.
    if (line.kind === 'removed') pending.push(hunkLine('added', line.text))
    else if (line.kind === 'added') lines.push(hunkLine('removed', line.text))
    else {
      for (const other of pending) lines.push(other)
      lines.push(line)
      pending = []
    }
  }
  for (const other of pending) lines.push(other)
  return { ...hunk, old: hunk.new, new: hunk.old, lines }
}
