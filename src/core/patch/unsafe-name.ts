import { bytesOf } from './lines.ts'

/** Linux: NAME_MAX, and PATH_MAX without the NUL that it counts (limits.h). */
const maxNameBytes = 255
export const maxPathBytes = 4095

/** Real trees are about 20 folders deep. */
const maxDepth = 128

/** Where fwbuild keeps the journal of a change to a tree, at its top. */
export const journalFolder = '.fwbuild-apply'

/**
 * Characters that Apple's HFS+ passes over when it compares names; git's `is_hfs_dotgit` has this list. Whoever
 * copies such a tree there has another name than the one that was looked at.
 */
const passedOver = /[\u200C-\u200F\u202A-\u202E\u206A-\u206F\uFEFF]/gu

/**
 * `.git` as git's `is_ntfs_dotgit` knows it, in the text between two slashes or backslashes: NTFS drops dots and
 * blanks at the end, has `git~1` as its short name, and `:` begins the name of a stream. Any number is refused:
 * which one the short name gets depends on the folder.
 */
const gitDirectory = /^(?:\.git|git~\d+)[ .]*(?::.*)?$/is

/** C0, DEL and C1; line and paragraph separators. */
// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u001F\u007F-\u009F\u2028\u2029]/u
/** Marks, embeddings, overrides and isolates of the bidirectional algorithm (UAX #9): a name is not what it looks like. */
const bidirectional = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u
/** Without width; but for the joiners, which some scripts and pictures need. */
const unseen = /[\u00AD\u180E\u200B\u2060-\u2064\u206A-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/u

/**
 * Why no patch may touch a name, or undefined where one may. What git's `verify_path` refuses on any system is
 * refused, and beyond it what can not be shown to people as it is.
 * @param name stripped; binary string
 */
export function unsafeName(name: string): string | undefined {
  if (name.includes('\0')) return 'the name holds a NUL byte'
  if (name.startsWith('/')) return 'the name is absolute'
  if (name.length > maxPathBytes) return `the name is longer than ${maxPathBytes} bytes`
  const parts = name.split('/')
  if (parts.length > maxDepth) return `the name lies more than ${maxDepth} folders deep`
  for (const part of parts) {
    if (part === '..') return 'the name leaves the tree (..)'
    if (part === '' || part === '.') return 'the name is not in normal form'
    if (part.length > maxNameBytes) return `a part of the name is longer than ${maxNameBytes} bytes`
  }
  const text = utf8(name)
  if (text === undefined) return 'the name is not valid UTF-8'
  const folded = text.replaceAll(passedOver, '')
  if ([text, folded].some((spelling) => spelling.split(/[/\\]/).some((part) => gitDirectory.test(part)))) {
    return 'the name lies in a .git directory'
  }
  if (folded.split('/')[0]?.toLowerCase() === journalFolder) return `${journalFolder} is fwbuild's own`
  if (controls.test(text)) return 'the name holds a control character'
  if (bidirectional.test(text)) return 'the name holds a mark that turns the direction of text'
  if (unseen.test(text)) return 'the name holds a character that can not be seen'
  return undefined
}

function utf8(name: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytesOf(name))
  } catch {
    return undefined
  }
}
