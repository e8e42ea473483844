/** One name of a tree. `mode` is git's: 0o100644, 0o100755, 0o120000. */
export interface FileState {
  /** Content; for a symlink its target; empty for `other`. */
  readonly bytes: Uint8Array
  readonly mode: number
  /** `other`: a directory or a device, which no patch may touch. */
  readonly kind: 'file' | 'symlink' | 'other'
}

/** Looks a name (relative, `/` between components) up; undefined where there is nothing. */
export type ReadFile = (path: string) => FileState | undefined

export const regularMode = 0o100644
export const executableMode = 0o100755
export const symlinkMode = 0o120000

/** Whether a patch may set this mode. */
export const validMode = (mode: number): boolean => [regularMode, executableMode, symlinkMode].includes(mode)

/** A tree with changes on top: later patches see what earlier ones did, nothing is written. */
export interface Overlay {
  readonly read: ReadFile
  /** The tree without the changes on top. */
  readonly readBefore: ReadFile
  readonly write: (path: string, state: FileState | undefined) => void
  /** What is other than below, sorted by path; undefined where the file is gone. What came and went is not in it. */
  readonly changes: () => ReadonlyMap<string, FileState | undefined>
}

/** An overlay over `base`, which is asked at most once for each name. */
export function overlayOf(base: ReadFile): Overlay {
  const seen = new Map<string, FileState | undefined>()
  const written = new Map<string, FileState | undefined>()
  const readBefore: ReadFile = (path) => {
    if (!seen.has(path)) seen.set(path, base(path))
    return seen.get(path)
  }
  return {
    read: (path) => (written.has(path) ? written.get(path) : readBefore(path)),
    readBefore,
    write: (path, state) => void written.set(path, state),
    changes: () =>
      new Map(
        [...written]
          .filter(([path, state]) => state !== undefined || readBefore(path) !== undefined)
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      ),
  }
}
