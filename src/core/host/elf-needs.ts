/** What an ELF file needs to be started. */
export interface ElfNeeds {
  /** Sonames of shared libraries. */
  readonly needed: readonly string[]
  /** Path of the loader; only programs name one. */
  readonly interpreter: string | undefined
}

/** Reads the lines of `readelf -dlW` (GNU binutils, LC_ALL=C). */
export function dynamicNeeds(lines: readonly string[]): ElfNeeds {
  const needed: string[] = []
  let interpreter: string | undefined
  for (const line of lines) {
    const library = /\(NEEDED\)\s.*\[([^\]/]+)\]$/.exec(line)?.[1]
    if (library !== undefined) needed.push(library)
    interpreter ??= /\[Requesting program interpreter: ([^\]]+)\]/.exec(line)?.[1]
  }
  return { needed, interpreter }
}
