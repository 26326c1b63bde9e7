import type { Stream } from '@libp2p/interface'
import { receive, sendAll, STALL_MS } from './flow.ts'
import { MeshError, reasonOf } from './mesh-error.ts'

/** A two-way byte stream to one peer, with backpressure and deadlines both ways; libp2p streams and the in-memory twin give one. */
export interface Channel {
  readonly peer: string
  /** What the peer sends, until it closes its half; read once. @throws MeshError STALLED | STREAM_CLOSED */
  readonly incoming: AsyncGenerator<Uint8Array, void, undefined>
  /** Resolves when the peer can take more. @throws MeshError STALLED | STREAM_CLOSED */
  send(bytes: Uint8Array): Promise<void>
  /** Closes the writing half once everything is sent. */
  end(): Promise<void>
  /** Resets both halves; for errors. */
  abort(error: Error): void
}

/** A channel over a libp2p stream. */
export function streamChannel(stream: Stream, peer: string, signal: AbortSignal, stallMs: number = STALL_MS): Channel {
  const flow = { peer, signal, stallMs }
  return {
    peer,
    incoming: receive(stream, flow),
    send: (bytes) => sendAll(stream, bytes, flow),
    async end() {
      try {
        await stream.close({ signal: AbortSignal.any([signal, AbortSignal.timeout(stallMs)]) })
      } catch (cause) {
        throw new MeshError('STREAM_CLOSED', { peer, detail: reasonOf(cause) }, { cause })
      }
    },
    abort: (error) => stream.abort(error),
  }
}

/** Bytes that a memory channel holds before its writer waits. */
const MEMORY_WINDOW_BYTES = 1024 * 1024

/** Two ends of an in-memory channel: what one sends the other receives, with the same backpressure, deadlines and errors. */
export function memoryChannels(left: string, right: string, signal: AbortSignal, stallMs: number = STALL_MS): readonly [Channel, Channel] {
  const toRight = new Pipe()
  const toLeft = new Pipe()
  const end = (peer: string, inbound: Pipe, outbound: Pipe): Channel => ({
    peer,
    incoming: inbound.read(peer, signal, stallMs),
    send: (bytes) => outbound.write(bytes, peer, signal, stallMs),
    async end() {
      outbound.end()
    },
    abort(error) {
      inbound.fail(error)
      outbound.fail(error)
    },
  })
  return [end(right, toLeft, toRight), end(left, toRight, toLeft)]
}

class Pipe {
  readonly #pieces: Uint8Array[] = []
  #bytes = 0
  #ended = false
  #failure: Error | undefined
  #waiting: (() => void)[] = []

  async write(bytes: Uint8Array, peer: string, signal: AbortSignal, stallMs: number): Promise<void> {
    if (this.#ended) throw new MeshError('STREAM_CLOSED', { peer, detail: 'written to after its end' })
    this.#pieces.push(Uint8Array.from(bytes))
    this.#bytes += bytes.length
    this.#wake()
    do {
      signal.throwIfAborted()
      if (this.#failure !== undefined) throw closedBy(this.#failure, peer)
      if (this.#bytes <= MEMORY_WINDOW_BYTES) return
      await this.#change(peer, signal, stallMs)
    } while (true)
  }

  async *read(peer: string, signal: AbortSignal, stallMs: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      signal.throwIfAborted()
      if (this.#failure !== undefined) throw closedBy(this.#failure, peer)
      const piece = this.#pieces.shift()
      if (piece !== undefined) {
        this.#bytes -= piece.length
        this.#wake()
        yield piece
      } else if (this.#ended) return
      else await this.#change(peer, signal, stallMs)
    }
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  fail(error: Error): void {
    this.#failure ??= error
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #change(peer: string, signal: AbortSignal, stallMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      const timer = setTimeout(() => reject(new MeshError('STALLED', { peer, afterMs: stallMs })), stallMs)
      signal.addEventListener('abort', wake)
      this.#waiting.push(wake)
    })
  }
}

function closedBy(failure: Error, peer: string): MeshError {
  return new MeshError('STREAM_CLOSED', { peer, detail: failure.message }, { cause: failure })
}
