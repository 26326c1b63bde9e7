import { createHash } from 'node:crypto'

import type { BlockId } from '@sgsd/consensus'

/** Bytes that compress to about three quarters, the same for the same seed. */
export function sample(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let x = (seed * 2_654_435_761 + 1) >>> 0
  for (let i = 0; i < length; i++) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = (x >>> 24) & 63
  }
  return bytes
}

export function sha256(bytes: Uint8Array): BlockId {
  return createHash('sha256').update(bytes).digest('hex') as BlockId
}
