import { type FileState, type Overlay, symlinkMode } from './file-state.ts'
import { binaryString } from './lines.ts'
import type { FilePatch } from './model.ts'
import { maxPathBytes } from './unsafe-name.ts'

/** A name below a symbolic link may lie anywhere, so none is followed. */
export function throughSymlink(path: string, overlay: Overlay): string | undefined {
  const parts = path.split('/')
  for (let count = 1; count < parts.length; count++) {
    const parent = parts.slice(0, count).join('/')
    const kind = overlay.read(parent)?.kind
    if (kind === 'symlink')
      return `${parent} is a symbolic link, and what lies behind it may be outside the tree`
    if (kind === 'file') return `${parent} is a file, not a directory`
  }
  return undefined
}

/** Why this may not be written as `path`: a symbolic link that leads out of the tree. */
export function unsafeLink(path: string, { kind, bytes }: FileState): string | undefined {
  if (kind !== 'symlink') return undefined
  const target = binaryString(bytes)
  if (target === '') return 'a symbolic link to nothing'
  if (target.length > maxPathBytes) return `a symbolic link to a name longer than ${maxPathBytes} bytes`
  if (target.startsWith('/')) return 'a symbolic link to an absolute name'
  const parts = target.split('/').filter((part) => part !== '' && part !== '.')
  const below = parts.findIndex((part) => part !== '..')
  const up = below === -1 ? parts.length : below
  if (up >= path.split('/').length) return 'a symbolic link that leaves the tree'
  // Behind a name that is itself a link, `..` may lead anywhere.
  return parts.includes('..', up) ? 'a symbolic link that goes up (..) behind a name' : undefined
}

/** Why a patch does not fit what is there; without modes and hunks (a pure rename) it fits both. */
export function kindConflict({ git, hunks }: FilePatch, { kind }: FileState): string | undefined {
  if (kind === 'other') return 'not a regular file'
  const modes = [git?.oldMode, git?.newMode, git?.indexMode].filter((mode) => mode !== undefined)
  const isLink = kind === 'symlink'
  const fits =
    modes.length === 0
      ? !isLink || hunks.length === 0
      : modes.every((mode) => (mode === symlinkMode) === isLink)
  return fits ? undefined : 'a symbolic link and a regular file are not the same thing'
}
