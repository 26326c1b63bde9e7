/** Bytes of a stream, looked at before they are taken; holds what was asked for and the piece behind it, never the stream. */
export class ByteQueue {
  readonly #source: AsyncIterator<Uint8Array>
  #pieces: Uint8Array[] = []
  #size = 0
  #ended = false

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Bytes that are here now. */
  get size(): number {
    return this.#size
  }

  /** Reads on until `size` bytes are here, or the stream has ended. @returns whether there are so many */
  async fill(size: number): Promise<boolean> {
    while (this.#size < size && !this.#ended) {
      const { done, value } = await this.#source.next()
      if (done === true) this.#ended = true
      else if (value.length > 0) {
        this.#pieces.push(value)
        this.#size += value.length
      }
    }
    return this.#size >= size
  }

  /** The first bytes, left where they are. */
  peek(size: number = this.#size): Uint8Array {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces, this.#size)]
    return (this.#pieces[0] ?? new Uint8Array()).subarray(0, size)
  }

  take(size: number): Uint8Array {
    const all = this.peek()
    this.#pieces = size < all.length ? [all.subarray(size)] : []
    this.#size -= Math.min(size, all.length)
    return all.subarray(0, size)
  }
}
