import { renameSync, type Stats } from 'node:fs'
import { join, relative } from 'node:path'
import { buildError } from '../../core/errors.ts'
import type { BuildUser } from '../engine.ts'
import { copyBeneath, sha256Beneath } from './copy.ts'
import { giveBeneath } from './give.ts'
import { at, inParent } from './open.ts'
import {
  kindBeneath,
  linkTargetBeneath,
  listBeneath,
  readBeneath,
  readTextBeneath,
  statBeneath,
} from './read.ts'
import { removeBeneath } from './remove.ts'
import { entriesBelow, filesBelow } from './walk.ts'
import { makeFolderBeneath, renameBeneath, writeBeneath } from './write.ts'

/** Far above any configuration, symbol table or log that is read whole. */
const defaultMaxBytes = 512 * 1024 * 1024

/**
 * A folder that a build writes to, and all that fwbuild itself does in it. Paths are those of this machine, at or
 * below the folder; none is followed through a link. What is made belongs to the build user.
 */
export interface BuildArea {
  readonly root: string
  readonly user: BuildUser
  readonly stat: (path: string) => Stats | undefined
  readonly isFile: (path: string) => boolean
  readonly isFolder: (path: string) => boolean
  /** Bytes of a file, undefined where there is none. */
  readonly read: (path: string, maxBytes?: number) => Buffer | undefined
  readonly text: (path: string) => string | undefined
  /** The same; @throws build E_FILE_MISSING */
  readonly requireText: (path: string) => string
  /** Names in a folder, sorted; none where there is no folder. */
  readonly names: (path: string) => readonly string[]
  /** Regular files below a folder by their path relative to it, sorted. */
  readonly filesBelow: (path: string) => readonly string[]
  /** The same with folders and links. */
  readonly entriesBelow: (path: string) => readonly string[]
  /** Where a link points; undefined for what is none. */
  readonly linkTarget: (path: string) => string | undefined
  readonly write: (path: string, content: string | Uint8Array, mode?: number) => void
  readonly makeFolder: (path: string) => void
  readonly remove: (path: string) => Promise<void>
  readonly give: (path: string, signal?: AbortSignal) => Promise<void>
  readonly rename: (from: string, to: string) => void
  /** Moves something of fwbuild's own on the same file system into the folder. */
  readonly moveIn: (own: string, to: string) => void
  /** Copies a file to a place of fwbuild's own. */
  readonly copyOut: (
    path: string,
    own: string,
    signal: AbortSignal,
  ) => Promise<{ readonly bytes: number; readonly sha256: string }>
  readonly sha256: (path: string, signal: AbortSignal) => Promise<string>
}

/** @param root a folder in whose own place nobody but fwbuild can put another */
export function areaOf(root: string, user: BuildUser): BuildArea {
  const way = (path: string): string => relative(root, path)
  const text = (path: string): string | undefined => readTextBeneath(root, way(path), defaultMaxBytes)
  return {
    root,
    user,
    stat: (path) => statBeneath(root, way(path)),
    isFile: (path) => kindBeneath(root, way(path)) === 'file',
    isFolder: (path) => way(path) === '' || kindBeneath(root, way(path)) === 'folder',
    read: (path, maxBytes = defaultMaxBytes) => readBeneath(root, way(path), maxBytes),
    text,
    requireText: (path) => {
      const found = text(path)
      if (found === undefined) throw buildError('E_FILE_MISSING', `${path} does not exist`)
      return found
    },
    names: (path) => listBeneath(root, way(path)).map(({ name }) => name),
    filesBelow: (path) => filesBelow(root, way(path)),
    entriesBelow: (path) => entriesBelow(root, way(path)),
    linkTarget: (path) => linkTargetBeneath(root, way(path)),
    write: (path, content, mode = 0o644) => writeBeneath(root, way(path), content, { mode, owner: user }),
    makeFolder: (path) => makeFolderBeneath(root, way(path), { owner: user }),
    remove: (path) => removeBeneath(root, way(path)),
    give: (path, signal) => giveBeneath(root, way(path), user, signal),
    rename: (from, to) => {
      if (!renameBeneath(root, way(from), way(to)))
        throw buildError('E_FILE_MISSING', `${from} does not exist`)
    },
    moveIn: (own, to) => moveIn(root, own, way(to)),
    copyOut: (path, own, signal) => copyBeneath(root, way(path), own, { maxBytes: mostCopied, signal }),
    sha256: (path, signal) => sha256Beneath(root, way(path), signal),
  }
}

/** A package with debug information has a few GiB. */
const mostCopied = 64 * 1024 ** 3

function moveIn(root: string, own: string, to: string): void {
  const moved = inParent(root, to, false, (folder, name) => {
    renameSync(own, at(folder, name))
    return true
  })
  if (!moved) throw buildError('E_FILE_MISSING', `the folder of ${join(root, to)} does not exist`)
}
