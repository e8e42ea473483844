const units: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

/** Smaller containers can't even start a compiler. */
export const leastMemoryBytes = 64 * 1024 ** 2

/** Bytes of `8G`, `1536M` or a plain number, in powers of 1024 as Docker reads them; undefined for anything else. */
export function memoryBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kmgt]?)(?:i?b)?$/i.exec(text)
  const unit = units[match?.[2]?.toLowerCase() ?? '-']
  if (unit === undefined) return undefined
  const bytes = Math.floor(Number(match?.[1]) * unit)
  return Number.isSafeInteger(bytes) && bytes >= leastMemoryBytes ? bytes : undefined
}

const gib = 1024 ** 3

/** What a build may take of a machine's memory: an eighth, at least half a GiB and at most 4, stays for the rest. */
export const usualMemoryBytes = (machineBytes: number): number =>
  Math.max(
    machineBytes - Math.min(Math.max(machineBytes / 8, gib / 2), 4 * gib),
    Math.min(machineBytes / 2, gib),
  )

/** Real builds have some ten processes for each job of make. */
export const usualPids = (jobs: number): number => Math.max(4096, jobs * 128)
