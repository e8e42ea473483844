import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  type Stats,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { temporaryDirectory } from './temporary.ts'

/** What someone who may write to a folder can leave at a name in it. */
export const plantKinds = [
  'link to a folder',
  'link to a file',
  'link to nothing',
  'link to itself',
  'file',
  'folder',
  'fifo',
  'device',
] as const
export type PlantKind = (typeof plantKinds)[number]

/** A folder that nothing which is tried may read, change or list into what it makes. */
export interface Guarded {
  readonly path: string
  /** Readable by root alone, holds `secret`. */
  readonly file: string
  /** Words that stand nowhere else. */
  readonly secret: string
  /** Where a planted link to nothing points: what is made there was made through the link. */
  readonly missing: string
}

/** A guarded folder of the test's own: a root-only file, an executable, a link, a folder that is not empty. */
export async function guardedFolder(t: ExecutionContext): Promise<Guarded> {
  const path = join(await temporaryDirectory(t), 'guarded')
  const secret = `guarded-${randomBytes(12).toString('hex')}`
  mkdirSync(join(path, 'folder/inner'), { recursive: true })
  const file = join(path, 'secret')
  writeFileSync(file, `${secret}\n`, { mode: 0o600 })
  writeFileSync(join(path, 'folder/program'), '#!/bin/sh\n', { mode: 0o755 })
  writeFileSync(join(path, 'folder/inner/text'), 'text\n', { mode: 0o640 })
  symlinkSync('folder', join(path, 'link'))
  return { path, file, secret, missing: join(path, 'folder/missing') }
}

/**
 * Everything below a folder and the folder itself, a line each: name, kind, mode, owner, links, size, times of
 * change, and the sha256 or target. Two that are equal mean that nothing was written, removed, chowned or chmodded.
 */
export function fullListing(folder: string): readonly string[] {
  return ['', ...namesBelow(folder)].map((name) => {
    const path = join(folder, name)
    const stats = lstatSync(path)
    const { mode, uid, gid, nlink, size, mtimeMs, ctimeMs } = stats
    return `${name} ${mode.toString(8)} ${uid}:${gid} ${nlink} ${size} ${mtimeMs} ${ctimeMs} ${contentOf(path, stats)}`
  })
}

function contentOf(path: string, stats: Stats): string {
  if (stats.isSymbolicLink()) return `-> ${readlinkSync(path)}`
  return stats.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : '-'
}

/** Relative paths of all files, folders and links below a folder, sorted; links are not entered. */
export function namesBelow(folder: string): readonly string[] {
  const names: string[] = []
  const visit = (path: string): void => {
    for (const entry of readdirSync(join(folder, path), { withFileTypes: true })) {
      const name = path === '' ? entry.name : `${path}/${entry.name}`
      names.push(name)
      if (entry.isDirectory()) visit(name)
    }
  }
  visit('')
  return names.sort()
}

/** Names of the files below a folder that hold some words: where a secret has landed. */
export function filesWith(folder: string, words: string): readonly string[] {
  return namesBelow(folder).filter((name) => {
    const path = join(folder, name)
    return lstatSync(path).isFile() && readFileSync(path).includes(words)
  })
}

/**
 * Leaves something at a name below a folder; what stood there is moved out of the way. Missing folders are made.
 * @returns what puts everything back as it was, whatever was made there meanwhile; undefined for a device, which
 *   only root can make, where root does not run the test
 */
export function plant(
  folder: string,
  name: string,
  kind: PlantKind,
  guarded: Guarded,
): Disposable | undefined {
  if (kind === 'device' && process.getuid?.() !== 0) return undefined
  const path = join(folder, name)
  const aside = `${folder}.aside-${randomBytes(6).toString('hex')}`
  const firstMade = mkdirSync(dirname(path), { recursive: true })
  const stood = lstatSync(path, { throwIfNoEntry: false }) !== undefined
  if (stood) renameSync(path, aside)
  make(path, kind, guarded)
  return {
    [Symbol.dispose]: () => {
      rmSync(path, { recursive: true, force: true })
      if (stood) {
        mkdirSync(dirname(path), { recursive: true })
        renameSync(aside, path)
      } else if (firstMade !== undefined) rmSync(firstMade, { recursive: true, force: true })
    },
  }
}

function make(path: string, kind: PlantKind, guarded: Guarded): void {
  switch (kind) {
    case 'link to a folder':
      return symlinkSync(guarded.path, path)
    case 'link to a file':
      return symlinkSync(guarded.file, path)
    case 'link to nothing':
      return symlinkSync(guarded.missing, path)
    case 'link to itself':
      return symlinkSync(path, path)
    case 'file':
      return writeFileSync(path, 'planted\n')
    case 'folder':
      mkdirSync(join(path, 'planted'), { recursive: true })
      return writeFileSync(join(path, 'planted/file'), 'planted\n')
    case 'fifo':
      return void execFileSync('mkfifo', [path])
    case 'device':
      // /dev/zero: reading it never ends.
      return void execFileSync('mknod', [path, 'c', '1', '5'])
  }
}
