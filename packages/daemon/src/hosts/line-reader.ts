/** Cuts a stream of bytes into lines, holding at most one unfinished line of bounded length. */
export class LineReader {
  readonly #maxBytes: number
  #held: Buffer[] = []
  #size = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /**
   * Takes the next bytes.
   * @returns whole lines without their ends (`\n` or `\r\n`)
   * @throws RangeError when a line is longer than the limit; the reader is then of no further use
   */
  push(chunk: Buffer): readonly string[] {
    const lines: string[] = []
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.#hold(chunk.subarray(from, end))
      const line = Buffer.concat(this.#held).toString('utf8')
      lines.push(line.endsWith('\r') ? line.slice(0, -1) : line)
      this.#held = []
      this.#size = 0
      from = end + 1
    }
    if (from < chunk.length) this.#hold(chunk.subarray(from))
    return lines
  }

  #hold(piece: Buffer): void {
    this.#size += piece.length
    if (this.#size > this.#maxBytes) throw new RangeError(`a line of more than ${this.#maxBytes} bytes`)
    this.#held.push(piece)
  }
}
