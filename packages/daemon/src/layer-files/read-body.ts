import { MAX_BUNDLE_BYTES } from '@sgsd/interop'
import { DaemonError } from '../daemon-error.ts'

/** A body in one piece. @throws DaemonError BAD_REQUEST past `MAX_BUNDLE_BYTES` */
export async function readBody(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.length
    if (size > MAX_BUNDLE_BYTES) throw new DaemonError('BAD_REQUEST', `the file has more than ${MAX_BUNDLE_BYTES} bytes`)
    pieces.push(piece)
  }
  const whole = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
