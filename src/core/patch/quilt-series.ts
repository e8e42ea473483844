/** One line of a quilt series file. */
export interface SeriesEntry {
  /** Name of the patch, relative to the series file. */
  readonly name: string
  readonly strip?: number
  readonly reverse?: boolean
}

/**
 * Reads a quilt series file: a patch name a line, optionally followed by `-pN` and `-R`; `#` begins a
 * comment. Format: "series" in quilt(1).
 * @returns the entries in order, or what is wrong and in which line (1-based)
 */
export function parseQuiltSeries(
  text: string,
): readonly SeriesEntry[] | { readonly line: number; readonly reason: string } {
  const entries: SeriesEntry[] = []
  for (const [at, raw] of text.split('\n').entries()) {
    const [name, ...options] = raw
      .replace(/(^|\s)#.*$/, '')
      .trim()
      .split(/\s+/)
    if (name === undefined || name === '') continue
    let entry: SeriesEntry = { name }
    for (const option of options) {
      const strip = /^-p(\d+|ab)$/.exec(option)
      if (strip !== null) entry = { ...entry, strip: strip[1] === 'ab' ? 1 : Number(strip[1]) }
      else if (option === '-R') entry = { ...entry, reverse: true }
      else return { line: at + 1, reason: `unknown option ${option}` }
    }
    entries.push(entry)
  }
  return entries
}
