/** One file of an initial RAM disk; all belong to root. */
export type CpioEntry = {
  /** Without a leading slash; parents that are not listed are made. */
  readonly path: string
} & (
  | { readonly type: 'directory' }
  | { readonly type: 'file'; readonly content: Uint8Array; readonly executable: boolean }
  | { readonly type: 'symlink'; readonly target: string }
  | { readonly type: 'character-device'; readonly major: number; readonly minor: number }
)

const trailerName = 'TRAILER!!!'
const headerBytes = 110
const directoryMode = 0o040755

/**
 * An archive of format `newc` (Documentation/driver-api/early-userspace/buffer-format.rst), as the kernel
 * unpacks it into its first file system. Equal entries in any order give equal bytes.
 * @throws RangeError for a path given twice or with `.` or `..` in it
 */
export function cpioArchive(entries: readonly CpioEntry[]): Uint8Array {
  const sorted = withParents(entries)
  const parts = sorted.flatMap((entry, index) => {
    const data = dataOf(entry)
    return record(entry.path, {
      inode: index + 1,
      mode: modeOf(entry),
      links: entry.type === 'directory' ? 2 : 1,
      device: entry.type === 'character-device' ? entry : { major: 0, minor: 0 },
      data,
    })
  })
  const trailer = record(trailerName, {
    inode: 0,
    mode: 0,
    links: 1,
    device: { major: 0, minor: 0 },
    data: new Uint8Array(),
  })
  return concat([...parts, ...trailer])
}

/** Every entry behind its directory. */
function withParents(entries: readonly CpioEntry[]): readonly CpioEntry[] {
  const byPath = new Map<string, CpioEntry>()
  for (const entry of entries) {
    const names = entry.path.split('/')
    if (names.some((name) => name === '' || name === '.' || name === '..')) {
      throw new RangeError(`not a path in an archive: ${entry.path}`)
    }
    if (byPath.has(entry.path)) throw new RangeError(`twice in an archive: ${entry.path}`)
    byPath.set(entry.path, entry)
  }
  for (const { path } of entries) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const parent = path.slice(0, end)
      if (!byPath.has(parent)) byPath.set(parent, { path: parent, type: 'directory' })
    }
  }
  // By names, not by text: `a-b` must not come between `a` and `a/b`.
  const key = (entry: CpioEntry): string => entry.path.replaceAll('/', '\0')
  return [...byPath.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1))
}

function modeOf(entry: CpioEntry): number {
  switch (entry.type) {
    case 'directory':
      return directoryMode
    case 'file':
      return 0o100000 | (entry.executable ? 0o755 : 0o644)
    case 'symlink':
      return 0o120777
    case 'character-device':
      return 0o020600
  }
}

function dataOf(entry: CpioEntry): Uint8Array {
  if (entry.type === 'file') return entry.content
  return entry.type === 'symlink' ? new TextEncoder().encode(entry.target) : new Uint8Array()
}

interface RecordFields {
  readonly inode: number
  readonly mode: number
  readonly links: number
  readonly device: { readonly major: number; readonly minor: number }
  readonly data: Uint8Array
}

function record(name: string, fields: RecordFields): readonly Uint8Array[] {
  const nameBytes = new TextEncoder().encode(`${name}\0`)
  const numbers = [
    fields.inode,
    fields.mode,
    0, // user
    0, // group
    fields.links,
    0, // time of change
    fields.data.length,
    0, // device the file is on: major, minor
    0,
    fields.device.major,
    fields.device.minor,
    nameBytes.length,
    0, // checksum, unused by newc
  ]
  const header = `070701${numbers.map((value) => value.toString(16).padStart(8, '0')).join('')}`
  return [
    new TextEncoder().encode(header),
    nameBytes,
    padding(headerBytes + nameBytes.length),
    fields.data,
    padding(fields.data.length),
  ]
}

/** Up to the next multiple of four. */
const padding = (length: number): Uint8Array => new Uint8Array((4 - (length % 4)) % 4)

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
