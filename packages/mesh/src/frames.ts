import type { Channel } from './channel.ts'
import { MeshError } from './mesh-error.ts'

/** Bytes of the longest length prefix: 5 groups of 7 bits hold 2^32, far above every limit. */
const MAX_PREFIX_BYTES = 5

/** Sends one frame: an unsigned LEB128 length, then the bytes. */
export async function sendFrame(channel: Channel, bytes: Uint8Array): Promise<void> {
  const prefix: number[] = []
  let rest = bytes.length
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) prefix.push((rest & 0x7f) | 0x80)
  prefix.push(rest)
  const frame = new Uint8Array(prefix.length + bytes.length)
  frame.set(prefix)
  frame.set(bytes, prefix.length)
  await channel.send(frame)
}

/** Takes frames, and afterwards raw bytes, from a channel. A length is checked before anything is kept for it. */
export class FrameReader {
  readonly #channel: Channel
  #pending: Uint8Array = new Uint8Array()
  #ended = false

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /**
   * @param limit - largest frame that this place of the protocol allows, bytes
   * @returns undefined when the peer closed its half on a frame boundary
   * @throws MeshError FRAME_TOO_LARGE | FRAME_INVALID | STREAM_CLOSED | STALLED
   */
  async next(limit: number): Promise<Uint8Array | undefined> {
    const length = await this.#length()
    if (length === undefined) return undefined
    if (length > limit) throw new MeshError('FRAME_TOO_LARGE', { peer: this.#channel.peer, bytes: length, limit })
    const pieces: Uint8Array[] = []
    let missing = length
    while (missing > 0) {
      if (!(await this.#fill())) throw this.#cut(`${missing} of ${length} bytes are missing`)
      const piece = this.#pending.subarray(0, missing)
      this.#pending = this.#pending.subarray(piece.length)
      missing -= piece.length
      pieces.push(piece)
    }
    return joined(pieces, length)
  }

  /** Like `next`, for a frame that must come. @throws MeshError STREAM_CLOSED when it does not */
  async expect(limit: number): Promise<Uint8Array> {
    const frame = await this.next(limit)
    if (frame === undefined) throw this.#cut('the peer closed instead of answering')
    return frame
  }

  /** Everything after the frames read so far, as it arrives. */
  async *rest(): AsyncGenerator<Uint8Array, void, undefined> {
    while (await this.#fill()) {
      const piece = this.#pending
      this.#pending = new Uint8Array()
      yield piece
    }
  }

  async #length(): Promise<number | undefined> {
    let length = 0
    for (let at = 0; at < MAX_PREFIX_BYTES; at++) {
      if (!(await this.#fill())) {
        if (at === 0) return undefined
        throw this.#cut('inside a length prefix')
      }
      const byte = this.#pending[0] ?? 0
      this.#pending = this.#pending.subarray(1)
      length += (byte & 0x7f) * 2 ** (7 * at)
      if (byte < 0x80) return length
    }
    throw new MeshError('FRAME_INVALID', { peer: this.#channel.peer, detail: 'the length prefix has no end' })
  }

  /** @returns whether at least one byte is pending */
  async #fill(): Promise<boolean> {
    while (this.#pending.length === 0 && !this.#ended) {
      const piece = await this.#channel.incoming.next()
      if (piece.done === true) this.#ended = true
      else this.#pending = piece.value
    }
    return this.#pending.length > 0
  }

  #cut(detail: string): MeshError {
    return new MeshError('STREAM_CLOSED', { peer: this.#channel.peer, detail })
  }
}

/** One array of its own memory. @param length - of all pieces together, bytes */
export function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
