import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { MeshError, reasonOf } from './mesh-error.ts'

/** Bytes handed to a stream at once: large enough that calls cost nothing, small enough to interleave with other streams. */
const PIECE_BYTES = 256 * 1024

/** Bytes that may wait, unsent or unread, before the side that produces them is held; 4 pieces. */
const HIGH_WATER_BYTES = 1024 * 1024

/** Unread bytes at which a held peer may go on, so that it does before the consumer runs dry. */
const LOW_WATER_BYTES = 256 * 1024

/** Longest wait for the other side to take or give anything, milliseconds. */
export const STALL_MS = 15_000

export interface FlowOptions {
  /** For error data. */
  readonly peer: string
  readonly signal: AbortSignal
  readonly stallMs?: number
}

/**
 * Writes with real backpressure: resolves when at most `HIGH_WATER_BYTES` are still queued.
 * Not through `stream.onDrain()`: its promise is never armed again after the first drain, so memory fills (libp2p utils 7.4.1).
 * @throws MeshError STALLED when the peer takes nothing for `stallMs`, STREAM_CLOSED when it is gone; the signal's reason
 */
export async function sendAll(stream: Stream, bytes: Uint8Array, options: FlowOptions): Promise<void> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    options.signal.throwIfAborted()
    try {
      stream.send(bytes.subarray(at, at + PIECE_BYTES))
    } catch (cause) {
      throw new MeshError('STREAM_CLOSED', { peer: options.peer, detail: reasonOf(cause) }, { cause })
    }
    while (stream.writeBufferLength > HIGH_WATER_BYTES) {
      options.signal.throwIfAborted()
      await drained(stream, options)
    }
  }
}

/**
 * Reads with real backpressure: once `HIGH_WATER_BYTES` wait for the consumer the stream is paused, and at most a yamux window more
 * comes in. `for await` over a stream never pauses it. Needs a muxer whose `maxReadBufferLength` exceeds its `maxStreamWindowSize`.
 * Ends when the peer closes its writing half.
 * @throws MeshError STALLED when nothing arrives for `stallMs`, STREAM_CLOSED on a reset; the signal's reason
 */
export async function* receive(stream: Stream, options: FlowOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const queue: Uint8Array[] = []
  let queued = 0
  let failure: Error | undefined
  let closed = stream.status !== 'open' && stream.status !== 'closing'
  let resuming = false
  let wake = (): void => undefined

  const enqueue = (piece: Uint8Array): void => {
    queue.push(piece)
    queued += piece.length
  }
  const holdIfFull = (): void => {
    if (queued > HIGH_WATER_BYTES && stream.readStatus === 'readable') stream.pause()
  }
  const onMessage = (event: StreamMessageEvent): void => {
    if (event.data instanceof Uint8Array) enqueue(event.data)
    else for (const piece of event.data) enqueue(piece)
    // `pause()` inside the dispatch of `resume()` would leave yamux unpaused; the resumer pauses itself.
    if (!resuming) holdIfFull()
    wake()
  }
  const onClose = (event: StreamCloseEvent): void => {
    failure ??= event.error
    closed = true
    wake()
  }
  const onEvent = (): void => wake()
  const resume = (): void => {
    resuming = true
    try {
      stream.resume()
    } catch (error) {
      failure ??= error instanceof Error ? error : new Error(String(error))
      closed = true
    } finally {
      resuming = false
    }
    holdIfFull()
  }

  stream.addEventListener('message', onMessage)
  stream.addEventListener('remoteCloseWrite', onEvent)
  stream.addEventListener('end', onEvent)
  stream.addEventListener('close', onClose)
  options.signal.addEventListener('abort', onEvent)
  try {
    for (;;) {
      options.signal.throwIfAborted()
      if (queued <= LOW_WATER_BYTES && stream.readStatus === 'paused' && stream.status !== 'aborted') resume()
      const piece = queue.shift()
      if (piece !== undefined) {
        queued -= piece.length
        yield piece
        continue
      }
      if (failure !== undefined) throw new MeshError('STREAM_CLOSED', { peer: options.peer, detail: reasonOf(failure) }, { cause: failure })
      if (stream.readBufferLength === 0 && (closed || stream.remoteWriteStatus === 'closed')) {
        if (stream.status === 'aborted' || stream.status === 'reset') {
          throw new MeshError('STREAM_CLOSED', { peer: options.peer, detail: `the stream was ${stream.status}` })
        }
        return
      }
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(stalled(options)), options.stallMs ?? STALL_MS)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  } finally {
    wake()
    stream.removeEventListener('message', onMessage)
    stream.removeEventListener('remoteCloseWrite', onEvent)
    stream.removeEventListener('end', onEvent)
    stream.removeEventListener('close', onClose)
    options.signal.removeEventListener('abort', onEvent)
  }
}

function drained(stream: Stream, options: FlowOptions): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const done = (settle: () => void): void => {
      clearTimeout(timer)
      stream.removeEventListener('drain', onDrain)
      stream.removeEventListener('idle', onDrain)
      stream.removeEventListener('close', onClose)
      options.signal.removeEventListener('abort', onAbort)
      settle()
    }
    const onDrain = (): void => done(resolve)
    const onClose = (event: StreamCloseEvent): void =>
      done(() => reject(new MeshError('STREAM_CLOSED', { peer: options.peer, detail: event.error?.message ?? 'closed' }, { cause: event.error })))
    const onAbort = (): void => done(() => reject(options.signal.reason))
    const timer = setTimeout(() => done(() => reject(stalled(options))), options.stallMs ?? STALL_MS)
    stream.addEventListener('drain', onDrain)
    stream.addEventListener('idle', onDrain)
    stream.addEventListener('close', onClose)
    options.signal.addEventListener('abort', onAbort)
  })
}

function stalled(options: FlowOptions): MeshError {
  return new MeshError('STALLED', { peer: options.peer, afterMs: options.stallMs ?? STALL_MS })
}
