const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  '"': '"',
  '\\': '\\',
}

/**
 * Reads a name in git's C-style quotes from the start of `text`.
 * @returns the bytes and the length read, or undefined where the quotes are malformed
 */
export function unquoteName(text: string): { readonly name: string; readonly length: number } | undefined {
  if (!text.startsWith('"')) return undefined
  let name = ''
  for (let at = 1; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === '"') return { name, length: at + 1 }
    if (char !== '\\') {
      name += char
      continue
    }
    const octal = /^[0-3][0-7]{2}/.exec(text.slice(at + 1, at + 4))
    const plain = escapes[text.charAt(at + 1)]
    if (octal !== null) {
      name += String.fromCharCode(Number.parseInt(octal[0], 8))
      at += 3
    } else if (plain !== undefined) {
      name += plain
      at += 1
    } else return undefined
  }
  return undefined
}

export interface HeaderName {
  readonly name: string
  /** /dev/null, a time stamp of the epoch, or Subversion's word for it: this side has no such file. */
  readonly absent: boolean
}

const maxHeaderLength = 10_000

const timestamp =
  /[ \t]+(\((?:revision \d+|working copy|nonexistent)\)|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d.*|\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d .*)$/

/** The name in a `--- ` or `+++ ` line, given without marker and line end. */
export function headerName(text: string): HeaderName {
  const quoted = unquoteName(text)
  if (quoted !== undefined) return { name: quoted.name, absent: isAbsent(text.slice(quoted.length)) }
  // Whatever stands behind the longest name that there is, is no time.
  if (text.length > maxHeaderLength) return { name: text, absent: false }
  const tab = text.indexOf('\t')
  const stamp = tab === -1 ? (timestamp.exec(text)?.[0] ?? '') : text.slice(tab)
  const whole = text.slice(0, text.length - stamp.length)
  // A tab says where the name ends, so that blanks ahead of it are its own; git puts one behind names with blanks.
  const name = tab === -1 ? whole.trimEnd() : whole
  return { name, absent: name === '/dev/null' || isAbsent(stamp) }
}

const isAbsent = (stamp: string): boolean =>
  isEpoch(stamp) || /^\((?:revision 0|nonexistent)\)$/.test(stamp.trim())

/** GNU diff -N stamps a missing side with the epoch, in whatever zone it was made. */
function isEpoch(stamp: string): boolean {
  const text = stamp.trim()
  if (!/^(1969-12-31|1970-01-01|(Wed|Thu) (Dec 31|Jan +1) )/.test(text)) return false
  const iso = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.0*)?(?: ?([+-]\d\d):?(\d\d))?$/.exec(text)
  if (iso !== null) return Date.parse(`${iso[1]}T${iso[2]}${iso[3] ?? '+00'}:${iso[4] ?? '00'}`) === 0
  return text.endsWith('00:00:00 1970')
}

/**
 * The two names of a `diff --git` line (text after the marker). Unquoted names with blanks are only
 * clear when both are the same behind their first component, as git itself reads them.
 */
export function gitLineNames(text: string): { readonly old: string; readonly new: string } | undefined {
  const first = unquoteName(text)
  if (first !== undefined) {
    const rest = text.slice(first.length).trimStart()
    return { old: first.name, new: unquoteName(rest)?.name ?? rest }
  }
  const quote = text.indexOf(' "')
  if (quote !== -1) {
    const second = unquoteName(text.slice(quote + 1))
    if (second !== undefined) return { old: text.slice(0, quote), new: second.name }
  }
  for (let at = text.indexOf(' '); at !== -1; at = text.indexOf(' ', at + 1)) {
    const [left, right] = [text.slice(0, at), text.slice(at + 1)]
    if (left === right || afterFirst(left) === afterFirst(right)) return { old: left, new: right }
  }
  const parts = text.split(' ')
  return parts.length === 2 ? { old: parts[0] ?? '', new: parts[1] ?? '' } : undefined
}

function afterFirst(name: string): string {
  const slash = name.indexOf('/')
  return slash === -1 ? name : name.slice(slash)
}

/**
 * Strips leading components as `patch -p` does (a run of slashes counts as one).
 * @returns undefined when the name has too few components
 */
export function stripComponents(name: string, count: number): string | undefined {
  let rest = name
  for (let left = count; left > 0; left--) {
    const slash = /\/+/.exec(rest)
    if (slash === null) return undefined
    rest = rest.slice(slash.index + slash[0].length)
  }
  return rest === '' ? undefined : rest
}
