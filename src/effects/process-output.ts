import { StringDecoder } from 'node:string_decoder'

/** A line longer than this is handed on in pieces, so that a stream without line ends cannot fill memory. */
const longestLineChars = 64 * 1024

/** Cuts a byte stream into lines; characters and line ends may be split over chunks. */
export class LineSplitter {
  readonly #onLine: (line: string) => void
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  add(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
    while (this.#rest.length > longestLineChars) {
      this.#onLine(this.#rest.slice(0, longestLineChars))
      this.#rest = this.#rest.slice(longestLineChars)
    }
  }

  end(): void {
    const rest = this.#rest + this.#decoder.end()
    this.#rest = ''
    if (rest !== '') this.#onLine(rest)
  }
}

/** Keeps the last bytes of a stream. */
export class Tail {
  readonly #maxBytes: number
  #chunks: Buffer[] = []
  #bytes = 0
  #truncated = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get truncated(): boolean {
    return this.#truncated || this.#bytes > this.#maxBytes
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    // Compacting only at twice the size keeps the cost per byte constant.
    if (this.#bytes > 2 * this.#maxBytes) {
      this.#chunks = [this.#kept()]
      this.#bytes = this.#maxBytes
      this.#truncated = true
    }
  }

  text(): string {
    return this.#kept().toString('utf8')
  }

  #kept(): Buffer {
    const all = Buffer.concat(this.#chunks)
    return all.length > this.#maxBytes ? all.subarray(all.length - this.#maxBytes) : all
  }
}
