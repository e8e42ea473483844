import { buildError } from './errors.ts'

/** NAME_MAX of Linux is 255 bytes; what fwbuild adds to a name has to fit too. */
const maxLength = 200

/**
 * True for a word that can be one part of a path and nothing else: no separator, no way up, no option, no hidden
 * file, no word of a shell.
 */
export const isPathWord = (text: string): boolean =>
  text.length <= maxLength && /^[A-Za-z0-9_][A-Za-z0-9_.+~%=@-]*$/.test(text)

/**
 * A word that came from a tree, a lock, an archive or a server and becomes part of a path.
 * @param what names it to the user: `the feed name`
 * @throws build E_FOREIGN_NAME
 */
export function pathWord(what: string, text: string): string {
  if (isPathWord(text)) return text
  throw buildError('E_FOREIGN_NAME', `${what} ‘${text}’ cannot be part of a path`, {
    hint: 'it does not come from fwbuild; names are letters, digits and _ . + ~ % = @ -, and begin with one of the first three',
  })
}
