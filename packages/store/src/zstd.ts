import { constants, createZstdDecompress, zstdCompress, zstdDecompress } from 'node:zlib'
import type { ZstdDecompress } from 'node:zlib'

import { MAX_BLOCK_BYTES } from '@sgsd/wire'

/** On rows of a layer (ascending columns, few distinct quotients) level 3 saves 3 % more for three times the work. */
const LEVEL = 1
/** Largest window a frame may ask for, log2 bytes (8 MiB); docs/protocol.md. */
const WINDOW_LOG_MAX = 23
/** Output piece while measuring a frame of unknown size, bytes. */
const MEASURE_PIECE_BYTES = 2 ** 16
/** zlib's smallest output buffer, bytes. */
const MIN_CHUNK_BYTES = 64

/** What became of compressed bytes; `reason` is for logs. */
export type Unpacked =
  | { readonly type: 'ok'; readonly bytes: Uint8Array }
  | { readonly type: 'too-large' }
  | { readonly type: 'corrupt'; readonly reason: string }

/** One zstd frame with the content size in its header; runs on the thread pool. */
export function pack(bytes: Uint8Array): Promise<Uint8Array> {
  const options = {
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL },
    pledgedSrcSize: bytes.length,
    // One output buffer that always fits (zstd's bound), so that nothing is copied together at the end.
    chunkSize: bytes.length + (bytes.length >>> 8) + 1024,
  }
  return new Promise((resolve, reject) => {
    zstdCompress(bytes, options, (error, packed) => (error ? reject(error) : resolve(plainView(packed))))
  })
}

/**
 * Decompresses one or more whole frames, with nothing after them, under a cap of MAX_BLOCK_BYTES. Memory stays below the result's own size plus one piece: the size comes from the
 * frame header, or, where that says nothing, from a first pass that keeps no output and stops at the cap.
 */
export async function unpack(packed: Uint8Array): Promise<Unpacked> {
  const header = readHeader(packed)
  if (header === undefined) return { type: 'corrupt', reason: 'no zstd frame' }
  if (header.windowBytes > 2 ** WINDOW_LOG_MAX) return { type: 'corrupt', reason: `a window of ${header.windowBytes} bytes` }
  let size = header.contentBytes
  if (size === undefined) {
    const measured = await measure(packed)
    if (typeof measured !== 'number') return measured
    size = measured
  }
  if (size > MAX_BLOCK_BYTES) return { type: 'too-large' }
  return decompress(packed, size)
}

interface FrameHeader {
  readonly windowBytes: number
  readonly contentBytes: number | undefined
}

/** The first frame's header, RFC 8878 §3.1.1.1. Read here, since the decoder needs (and checks) no window where the output is one buffer. */
function readHeader(packed: Uint8Array): FrameHeader | undefined {
  // The longest header is 18 bytes; a shorter frame is read with zeros after it and fails later if they were missed.
  const head = new Uint8Array(18)
  head.set(packed.subarray(0, head.length))
  const view = new DataView(head.buffer)
  if (view.getUint32(0, true) !== 0xfd2fb528) return undefined
  const descriptor = view.getUint8(4)
  const singleSegment = (descriptor & 0x20) !== 0
  const window = view.getUint8(5)
  const at = (singleSegment ? 5 : 6) + [0, 1, 2, 4][descriptor & 3]!
  const contentBytes = readContentSize(view, at, descriptor >>> 6, singleSegment)
  const windowBytes = singleSegment ? contentBytes! : 2 ** (10 + (window >>> 3)) * (1 + (window & 7) / 8)
  return { windowBytes, contentBytes }
}

function readContentSize(view: DataView, at: number, code: number, singleSegment: boolean): number | undefined {
  switch (code) {
    case 0:
      return singleSegment ? view.getUint8(at) : undefined
    case 1:
      return view.getUint16(at, true) + 256
    case 2:
      return view.getUint32(at, true)
    default:
      return Number(view.getBigUint64(at, true))
  }
}

/** Counts the output without keeping it. */
async function measure(packed: Uint8Array): Promise<number | Unpacked> {
  const stream = createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX }, chunkSize: MEASURE_PIECE_BYTES })
  let size = 0
  try {
    stream.end(packed)
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      size += piece.length
      if (size > MAX_BLOCK_BYTES) return { type: 'too-large' }
    }
    return size
  } catch (error) {
    return { type: 'corrupt', reason: reasonOf(error) }
  } finally {
    stream.destroy()
  }
}

/** Into one buffer of exactly `size` bytes; anything more, less or left over is corrupt. */
function decompress(packed: Uint8Array, size: number): Promise<Unpacked> {
  const options = {
    params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
    // One byte more than needed: the decoder then sees the end without asking for a second buffer.
    chunkSize: Math.max(MIN_CHUNK_BYTES, size + 1),
    maxOutputLength: Math.max(1, size),
    info: true,
  }
  return new Promise((resolve) => {
    zstdDecompress(packed, options, (error, result) => {
      if (error) return resolve({ type: 'corrupt', reason: reasonOf(error) })
      // With `info` the result is this pair; the declared type knows only the plain form.
      const { buffer, engine } = result as unknown as { readonly buffer: Uint8Array; readonly engine: ZstdDecompress }
      if (buffer.length !== size) return resolve({ type: 'corrupt', reason: `${buffer.length} bytes instead of ${size}` })
      if (engine.bytesWritten !== packed.length) return resolve({ type: 'corrupt', reason: 'bytes after the end of the frame' })
      resolve({ type: 'ok', bytes: plainView(buffer) })
    })
  })
}

/** The same memory without Buffer's own rules: its `slice`, for one, copies nothing. */
function plainView(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}
