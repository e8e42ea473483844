import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { atomicWrite } from './files.ts'

const tagName = 'CACHEDIR.TAG'
/** By which backups know a cache (bford.info/cachedir), and `clean` a work directory of fwbuild's own. */
const tag =
  'Signature: 8a477f597d28d172789f06886806bc55\n# made by fwbuild; see https://bford.info/cachedir/\n'

/** What a directory holds that was a work directory before there was a tag, or has just been locked. */
const ownNames =
  /^(?:builds|ccache|dl|downloads|feeds|git|home|keys|mini\.git|proof|scratch|trees|lock(?:\..*)?)$/

/** True where fwbuild's own tag lies: all below is fwbuild's, made to be made again. */
export async function isWorkDir(directory: string): Promise<boolean> {
  const text = await readFile(join(directory, tagName), 'utf8').catch(() => '')
  return text === tag
}

/**
 * Marks a directory as fwbuild's own.
 * @returns false where it holds things of somebody else, which a tag would have backups leave out
 */
export async function tagWorkDir(directory: string): Promise<boolean> {
  if (await isWorkDir(directory)) return true
  const names = await readdir(directory)
  if (!names.every((name) => ownNames.test(name) || name.startsWith(`${tagName}.`))) return false
  await atomicWrite(join(directory, tagName), tag)
  return true
}
